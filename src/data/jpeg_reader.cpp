#include "jpeg_reader.h"

#include "image_checks.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <algorithm>

namespace lockstep::data {
namespace {

// What the library may allocate for one picture: a progressive one needs two bytes for every
// coefficient at once.
constexpr long kMaxMemoryBytes = 512L << 20;
// Every block of 8 x 8 pixels has at least one bit, so a byte covers at most this many pixels.
constexpr std::int64_t kMaxPixelsAByte = 512;
// Scans times pixels, against files that repeat empty scans over a large picture.
constexpr std::int64_t kMaxScannedPixels = 2'000'000'000;
constexpr std::int64_t kScansAlwaysAllowed = 20;

int scan_limit(const ImageLimits& limits, std::int64_t pixels) {
  const std::int64_t by_work = std::max(kScansAlwaysAllowed, kMaxScannedPixels / pixels);
  return static_cast<int>(std::min<std::int64_t>(limits.max_scans, by_work));
}

}  // namespace

JpegReader::JpegReader(std::span<const std::byte> file, const ImageLimits& limits) {
  jpeg_decompress_struct& state = handle_.state;
  state.err = errors_.manager();
  errors_.run([&] {
    jpeg_create_decompress(&state);
    state.mem->max_memory_to_use = kMaxMemoryBytes;
    jpeg_mem_src(&state, reinterpret_cast<const unsigned char*>(file.data()), file.size());
    jpeg_read_header(&state, TRUE);
  });
  check_coding();
  const ImageHeader found = header();
  const std::int64_t pixels = std::int64_t{found.size.height} * found.size.width;
  check_image_size(found, pixels / kMaxPixelsAByte, file.size(), limits);
  watch_.progress.progress_monitor = &JpegReader::count_scans;
  watch_.max_scans = scan_limit(limits, pixels);
  state.progress = &watch_.progress;
}

ImageHeader JpegReader::header() const {
  const jpeg_decompress_struct& state = handle_.state;
  ImageHeader found;
  found.format = ImageFormat::kJpeg;
  found.size = {static_cast<std::int32_t>(state.image_height),
                static_cast<std::int32_t>(state.image_width)};
  found.channels = state.num_components;
  return found;
}

// The library itself refuses 12 bits, lossless and hierarchical files.
void JpegReader::check_coding() const {
  const jpeg_decompress_struct& state = handle_.state;
  if (state.data_precision != 8) {
    throw data_error(format("JPEG: {} bits a value: only 8 are read", state.data_precision));
  }
  if (state.arith_code) throw data_error("JPEG: arithmetic coding is not read");
  if (state.num_components != 1 && state.num_components != 3 && state.num_components != 4) {
    throw data_error(format("JPEG: {} channels: 1, 3 or 4 are read", state.num_components));
  }
}

void JpegReader::count_scans(j_common_ptr state) {
  const auto* watch = reinterpret_cast<const Watch*>(state->progress);
  if (!state->is_decompressor) return;
  const auto* decoder = reinterpret_cast<j_decompress_ptr>(state);
  if (decoder->input_scan_number > watch->max_scans) {
    JpegErrors::fail_too_many_scans(state, watch->max_scans);
  }
}

}  // namespace lockstep::data
