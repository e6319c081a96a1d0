// Images on the host: what a JPEG or PNG file announces, its pixels, and resizing. Nothing is
// allocated for a file before its header was checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lockstep::data {

struct ImageSize {
  std::int32_t height = 0;
  std::int32_t width = 0;

  bool operator==(const ImageSize&) const = default;
};

// A rectangle in pixels, x1 and y1 past the end; fractions are allowed.
struct Region {
  float x0 = 0;
  float y0 = 0;
  float x1 = 0;
  float y1 = 0;

  bool operator==(const Region&) const = default;
};

struct Image {
  ImageSize size;
  std::int32_t channels = 0;         // 1 or 3
  std::vector<std::uint8_t> pixels;  // (H, W, C)
};

enum class ImageFormat { kJpeg, kPng };

struct ImageHeader {
  ImageFormat format = ImageFormat::kJpeg;
  ImageSize size;
  std::int32_t channels = 0;  // as stored: 1 grey, 2 grey and alpha, 3 colour, 4 CMYK or alpha
};

// What a file may ask for.
struct ImageLimits {
  std::int64_t max_pixels = 100'000'000;
  std::int32_t max_scans = 500;  // of a progressive JPEG
};

// Looks at the header alone. Throws: Error(kBadData): neither JPEG nor PNG, damaged, over a limit.
ImageHeader read_image_header(std::span<const std::byte> file, const ImageLimits& limits = {});

struct DecodeOptions {
  std::int32_t channels = 3;  // 1: luma; 3: RGB. Alpha is dropped, CMYK is converted
  // The part that is wanted; empty: everything. More than asked for may be decoded.
  Region region;
  // JPEG only: the part may come out smaller by 2, 4 or 8 as long as neither of its sides falls
  // below this. Zero: full size.
  ImageSize at_least;
  ImageLimits limits;
};

// Pixels of a file, or of a part of it.
struct DecodedImage {
  Image image;
  // The part that `image` shows, in pixels of the file: `reduction` of them a side to each of
  // `image`, so with a reduction it may end up to 7 past the file's edge.
  Region region;
  ImageSize file_size;  // of the whole picture
  int reduction = 1;    // pixels of the file to one of `image`, a side: 1, 2, 4 or 8
};

// Rotation in EXIF is ignored. What lies below the part is not looked at.
// Throws: Error(kBadData): damaged, truncated, over a limit. A warning of the decoder is an error.
// The text does not name the file. Thread: any.
DecodedImage decode_image(std::span<const std::byte> file, const DecodeOptions& options = {});

// Resizes `region` of (height, width, channels) pixels to `to` with a triangle filter whose support
// grows with the reduction (antialiased, as PIL's BILINEAR of the region that was cut out first),
// so that reductions do not alias. Within 1 of the exact value.
// Requires: the region lies inside and is not empty; out holds to.height * to.width * channels.
void resize_region(std::span<const std::uint8_t> pixels,
                   ImageSize size,
                   std::int32_t channels,
                   const Region& region,
                   ImageSize to,
                   std::span<std::uint8_t> out);

// Baseline JPEG, chroma halved (4:2:0). `quality` 1 to 100.
std::vector<std::byte> encode_jpeg(const Image& image, int quality);

}  // namespace lockstep::data
