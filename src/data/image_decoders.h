// The decoders behind decode_image, one a format.
#pragma once

#include <lockstep/data/image.h>

#include <cstddef>
#include <span>

namespace lockstep::data {

ImageHeader read_jpeg_header(std::span<const std::byte> file, const ImageLimits& limits);
ImageHeader read_png_header(std::span<const std::byte> file, const ImageLimits& limits);

DecodedImage decode_jpeg(std::span<const std::byte> file, const DecodeOptions& options);
// Always the whole picture.
DecodedImage decode_png(std::span<const std::byte> file, const DecodeOptions& options);

}  // namespace lockstep::data
