#include "gzip_reader.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <new>

namespace lockstep::data {
namespace {

constexpr unsigned kBufferBytes = 256 * 1024;
constexpr std::size_t kMaxReadBytes = std::size_t{1} << 30;

}  // namespace

struct GzipReader::State {
  std::filesystem::path path;
  gzFile file = nullptr;
  std::uint64_t position = 0;  // in the content

  // Up to `size` bytes; fewer only at a sound end.
  std::size_t read_some(std::byte* out, std::size_t size) {
    const int count = gzread(file, out, static_cast<unsigned>(std::min(size, kMaxReadBytes)));
    int status = Z_OK;
    const char* text = gzerror(file, &status);
    if (count < 0 || (status != Z_OK && status != Z_STREAM_END)) {
      throw data_error(
          format("{}: damaged or truncated gzip near byte {} of its content ({}): "
                 "fetch it again",
                 path.string(),
                 position,
                 status == Z_BUF_ERROR ? "unexpected end" : text));
    }
    position += static_cast<std::uint64_t>(count);
    return static_cast<std::size_t>(count);
  }
};

GzipReader::GzipReader(const std::filesystem::path& path) : state_(std::make_unique<State>()) {
  FileHandle handle = open_for_reading(path);
  if (std::filesystem::is_directory(path)) {
    throw io_error(format("{} is a folder, not a file", path.string()));
  }
  state_->path = path;
  state_->file = gzdopen(handle.get(), "rb");
  if (state_->file == nullptr) throw std::bad_alloc();
  handle.release();  // gzclose closes it
  gzbuffer(state_->file, kBufferBytes);
}

GzipReader::~GzipReader() { gzclose_r(state_->file); }

void GzipReader::read(std::span<std::byte> out) {
  while (!out.empty()) {
    const std::size_t count = state_->read_some(out.data(), out.size());
    if (count == 0) {
      throw data_error(format("{}: ends after {} bytes of content, {} too early: fetch it again",
                              state_->path.string(),
                              state_->position,
                              out.size()));
    }
    out = out.subspan(count);
  }
}

void GzipReader::expect_end() {
  std::byte extra{};
  if (state_->read_some(&extra, 1) == 0) return;
  throw data_error(format("{}: has more bytes than its header announces", state_->path.string()));
}

}  // namespace lockstep::data
