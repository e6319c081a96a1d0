// Pictures for the tests: made here with the libraries themselves, so that every kind of file is
// there and what it shows is known.
#pragma once

#include <lockstep/data/image.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace lockstep::data {

using Bytes = std::vector<std::byte>;

// Waves, edges and a little noise: content that interpolation and chroma matter for.
Image make_picture(ImageSize size, std::int32_t channels, unsigned seed = 1);

struct JpegKind {
  enum class Colours { kYcc, kRgb, kGrey, kCmyk, kYcck };
  Colours colours = Colours::kYcc;
  bool progressive = false;
  bool adobe = true;       // CMYK: with Adobe's marker, and inverted as it says
  bool subsampled = true;  // chroma halved
  int quality = 90;
  int restart_interval = 0;
  bool whole_scans = false;  // progressive: every value in one scan, so that scans may repeat
};
// `image` has 1, 3 or 4 channels. CMYK pixels are amounts of ink.
Bytes make_jpeg(const Image& image, const JpegKind& kind = {});

struct PngKind {
  int colour_type = 2;  // 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha
  int bit_depth = 8;
  bool interlaced = false;
};
// Rows of `rows` are written as they are, packed as the kind says.
Bytes make_png(ImageSize size,
               const PngKind& kind,
               const std::vector<std::vector<std::uint8_t>>& rows);
Bytes make_png(const Image& image, bool interlaced = false);

// The header of a JPEG announces this size instead.
Bytes with_jpeg_size(Bytes file, std::uint16_t height, std::uint16_t width);
// The header of a PNG announces this size instead; the checksum is made right.
Bytes with_png_size(Bytes file, std::uint32_t height, std::uint32_t width);
// A progressive JPEG whose last scan comes `count` times more.
Bytes with_scans(const Bytes& file, int count);

std::string text_of(const Bytes& bytes);

// Mean structural similarity of two equal-sized images over 8 x 8 windows (Wang et al. 2004).
double ssim(const Image& a, const Image& b);
double largest_difference(const Image& a, const Image& b);
Image cut(const Image& image, const Region& region);
Image resized(const Image& image, const Region& region, ImageSize to);

// By how much the resident memory of this process rose at most during the call.
std::int64_t memory_growth_bytes(const std::function<void()>& call);

}  // namespace lockstep::data
