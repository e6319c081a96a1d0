// Pixels of a PNG file: any depth and colour type becomes 8 bits of grey or RGB, alpha is dropped.
// The door to libpng. Chunks beside the pixels and the palette are skipped unread.
#include "image_checks.h"
#include "image_decoders.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <png.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace lockstep::data {
namespace {

constexpr png_uint_32 kMaxSide = 1 << 24;
// Longer chunks are refused. None is kept, so this costs no memory.
constexpr png_alloc_size_t kMaxChunkBytes = 64 << 20;
// Deflate packs at most this many bytes into one (zlib's technical notes say 1032).
constexpr std::int64_t kMaxInflation = 1100;

// The library's state for one file. Its errors jump to run(), which makes them an Error.
class PngReader {
 public:
  explicit PngReader(std::span<const std::byte> file) : rest_(file) {
    png_ =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, this, &PngReader::leave, &PngReader::leave);
    if (png_ == nullptr) throw std::bad_alloc();
    info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw std::bad_alloc();
    }
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  png_structp png() const { return png_; }
  png_infop info() const { return info_; }

  // Requires: nothing in `step` has a destructor that must run.
  template <class Step>
  void run(Step&& step) {
    run_erased([](void* context) { (*static_cast<Step*>(context))(); },
               const_cast<void*>(static_cast<const void*>(&step)));
  }

  // Up to the first pixels; checks the size.
  ImageHeader read_header(std::size_t file_bytes, const ImageLimits& limits) {
    run([this] {
      png_set_read_fn(png_, this, &PngReader::give);
      png_set_user_limits(png_, kMaxSide, kMaxSide);
      png_set_chunk_malloc_max(png_, kMaxChunkBytes);
      png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
      png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
      png_set_benign_errors(png_, 0);
      png_read_info(png_, info_);
    });
    ImageHeader header;
    header.format = ImageFormat::kPng;
    header.size = {static_cast<std::int32_t>(png_get_image_height(png_, info_)),
                   static_cast<std::int32_t>(png_get_image_width(png_, info_))};
    const bool palette = png_get_color_type(png_, info_) == PNG_COLOR_TYPE_PALETTE;
    header.channels = palette ? 3 : png_get_channels(png_, info_);
    const auto packed = static_cast<std::int64_t>(png_get_rowbytes(png_, info_)) *
                        header.size.height / kMaxInflation;
    check_image_size(header, packed, file_bytes, limits);
    return header;
  }

 private:
  [[noreturn]] static void leave(png_structp png, png_const_charp text) {
    auto* reader = static_cast<PngReader*>(png_get_error_ptr(png));
    std::strncpy(reader->message_.data(), text, reader->message_.size() - 1);
    png_longjmp(png, 1);
  }

  static void give(png_structp png, png_bytep out, png_size_t size) {
    auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
    if (size > reader->rest_.size()) leave(png, "it is cut short");
    std::memcpy(out, reader->rest_.data(), size);
    reader->rest_ = reader->rest_.subspan(size);
  }

  [[gnu::noinline]] void run_erased(void (*step)(void*), void* context) {
    if (setjmp(png_jmpbuf(png_)) != 0) throw data_error(format("PNG: {}", message_.data()));
    step(context);
  }

  std::span<const std::byte> rest_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::array<char, 128> message_{};
};

// Every row becomes 8-bit grey or RGB. Returns the number of passes over the rows.
int set_conversions(PngReader& reader) {
  int passes = 1;
  reader.run([&] {
    png_set_expand(reader.png());
    png_set_scale_16(reader.png());
    png_set_strip_alpha(reader.png());
    passes = png_set_interlace_handling(reader.png());
    png_read_update_info(reader.png(), reader.info());
  });
  return passes;
}

// Rows of an interlaced file are refined pass by pass; others are appended as they are read, so
// that a file that ends early never had the whole allocated.
std::vector<std::uint8_t> read_rows(PngReader& reader, std::size_t height, int passes) {
  const std::size_t row_bytes = png_get_rowbytes(reader.png(), reader.info());
  std::vector<std::uint8_t> pixels;
  if (passes == 1) {
    pixels.reserve(height * row_bytes);
  } else {
    pixels.resize(height * row_bytes);
  }
  for (int pass = 0; pass < passes; ++pass) {
    for (std::size_t row = 0; row < height; ++row) {
      if (passes == 1) pixels.resize((row + 1) * row_bytes);
      std::uint8_t* out = pixels.data() + row * row_bytes;
      reader.run([&] { png_read_row(reader.png(), out, nullptr); });
    }
  }
  reader.run([&] { png_read_end(reader.png(), nullptr); });
  return pixels;
}

std::vector<std::uint8_t> with_channels(std::vector<std::uint8_t> pixels,
                                        std::int32_t from,
                                        std::int32_t to) {
  if (from == to) return pixels;
  const std::size_t count = pixels.size() / static_cast<std::size_t>(from);
  std::vector<std::uint8_t> out;
  out.reserve(count * static_cast<std::size_t>(to));
  for (std::size_t i = 0; i < count; ++i) {
    if (to == 3) {
      out.insert(out.end(), 3, pixels[i]);
    } else {
      out.push_back(luma(pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]));
    }
  }
  return out;
}

}  // namespace

ImageHeader read_png_header(std::span<const std::byte> file, const ImageLimits& limits) {
  return PngReader(file).read_header(file.size(), limits);
}

DecodedImage decode_png(std::span<const std::byte> file, const DecodeOptions& options) {
  PngReader reader(file);
  const ImageHeader header = reader.read_header(file.size(), options.limits);
  const int passes = set_conversions(reader);
  const std::int32_t stored = png_get_channels(reader.png(), reader.info());
  LOCKSTEP_CHECK(stored == 1 || stored == 3, "a PNG file that did not become grey or RGB");
  DecodedImage decoded;
  decoded.file_size = header.size;
  decoded.image.size = header.size;
  decoded.image.channels = options.channels;
  decoded.image.pixels =
      with_channels(read_rows(reader, static_cast<std::size_t>(header.size.height), passes),
                    stored,
                    options.channels);
  decoded.region = {
      0, 0, static_cast<float>(header.size.width), static_cast<float>(header.size.height)};
  return decoded;
}

}  // namespace lockstep::data
