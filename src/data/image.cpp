// Which decoder a file goes to, and what every picture is held against first.
#include "image_checks.h"
#include "image_decoders.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <array>

namespace lockstep::data {
namespace {

constexpr std::array kJpegStart{std::byte{0xFF}, std::byte{0xD8}, std::byte{0xFF}};
constexpr std::array kPngStart{
    std::byte{0x89}, std::byte{'P'}, std::byte{'N'}, std::byte{'G'}, std::byte{0x0D}};

bool starts_with(std::span<const std::byte> file, std::span<const std::byte> start) {
  return file.size() >= start.size() && std::equal(start.begin(), start.end(), file.begin());
}

ImageFormat format_of(std::span<const std::byte> file) {
  if (starts_with(file, kJpegStart)) return ImageFormat::kJpeg;
  if (starts_with(file, kPngStart)) return ImageFormat::kPng;
  throw data_error(file.empty() ? "an empty file instead of a picture"
                                : "neither a JPEG nor a PNG file");
}

}  // namespace

void check_image_size(const ImageHeader& header,
                      std::int64_t bytes_needed,
                      std::size_t file_bytes,
                      const ImageLimits& limits) {
  const auto [height, width] = header.size;
  if (height < 1 || width < 1) {
    throw data_error(format("a picture of {} x {} pixels", height, width));
  }
  if (std::int64_t{height} * width > limits.max_pixels) {
    throw data_error(format(
        "a picture of {} x {} pixels: at most {} are decoded", height, width, limits.max_pixels));
  }
  if (bytes_needed > static_cast<std::int64_t>(file_bytes)) {
    throw data_error(format("{} bytes cannot hold a picture of {} x {} pixels: it is cut short",
                            file_bytes,
                            height,
                            width));
  }
}

ImageHeader read_image_header(std::span<const std::byte> file, const ImageLimits& limits) {
  return format_of(file) == ImageFormat::kJpeg ? read_jpeg_header(file, limits)
                                               : read_png_header(file, limits);
}

DecodedImage decode_image(std::span<const std::byte> file, const DecodeOptions& options) {
  LOCKSTEP_CHECK(options.channels == 1 || options.channels == 3, "images have 1 or 3 channels");
  return format_of(file) == ImageFormat::kJpeg ? decode_jpeg(file, options)
                                               : decode_png(file, options);
}

}  // namespace lockstep::data
