#include "image_recoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lockstep::data {
namespace {

// Statistics of a picture that is larger than this a side come from a reduced one.
constexpr std::int32_t kStatisticsSide = 512;

Region whole_of(ImageSize size) {
  return {0, 0, static_cast<float>(size.width), static_cast<float>(size.height)};
}

DecodeOptions decode_options(const ImageImportOptions& options) {
  DecodeOptions decode;
  decode.channels = options.channels;
  decode.limits = options.limits;
  return decode;
}

std::int32_t scaled_side(std::int32_t side, double scale) {
  return std::max(1, static_cast<std::int32_t>(std::lround(side * scale)));
}

// Decodes what is needed of `region` and resizes it into the top left corner of `canvas`.
Image resized_part(std::span<const std::byte> file,
                   const Region& region,
                   ImageSize to,
                   ImageSize canvas,
                   const ImageImportOptions& options) {
  DecodeOptions decode = decode_options(options);
  decode.region = region;
  decode.at_least = to;
  const DecodedImage decoded = decode_image(file, decode);
  const auto factor = static_cast<float>(decoded.reduction);
  const Region full = whole_of(decoded.image.size);
  const Region part{std::clamp((region.x0 - decoded.region.x0) / factor, 0.0F, full.x1),
                    std::clamp((region.y0 - decoded.region.y0) / factor, 0.0F, full.y1),
                    std::clamp((region.x1 - decoded.region.x0) / factor, 0.0F, full.x1),
                    std::clamp((region.y1 - decoded.region.y0) / factor, 0.0F, full.y1)};
  Image out{to, options.channels, {}};
  const auto channels = static_cast<std::size_t>(options.channels);
  const auto row = static_cast<std::size_t>(to.width) * channels;
  out.pixels.resize(static_cast<std::size_t>(to.height) * row);
  resize_region(decoded.image.pixels, decoded.image.size, options.channels, part, to, out.pixels);
  if (canvas == to) return out;
  Image padded{canvas, options.channels, {}};
  const auto stride = static_cast<std::size_t>(canvas.width) * channels;
  padded.pixels.resize(static_cast<std::size_t>(canvas.height) * stride);
  for (std::size_t y = 0; y < static_cast<std::size_t>(to.height); ++y) {
    std::copy_n(out.pixels.begin() + static_cast<std::ptrdiff_t>(y * row),
                row,
                padded.pixels.begin() + static_cast<std::ptrdiff_t>(y * stride));
  }
  return padded;
}

void set_scales(RecodedImage& recoded, ImageSize shown) {
  const auto ratio = [](std::int32_t a, std::int32_t b) {
    return static_cast<float>(a) / static_cast<float>(b);
  };
  recoded.shown = shown;
  recoded.scale_x = ratio(shown.width, recoded.original.width);
  recoded.scale_y = ratio(shown.height, recoded.original.height);
}

ImageSize scaled_size(ImageSize size, double scale) {
  return {scaled_side(size.height, scale), scaled_side(size.width, scale)};
}

void recode_raw(std::span<const std::byte> file,
                bool keep_whole,
                const ImageImportOptions& options,
                RecodedImage& recoded) {
  const ImageSize from = recoded.original;
  if (options.image_size == 0) {
    recoded.pixels = decode_image(file, decode_options(options)).image;
    recoded.size = from;
    return;
  }
  const auto side = static_cast<std::int32_t>(options.image_size);
  recoded.size = {side, side};
  if (keep_whole) {
    const double scale = static_cast<double>(side) / std::max(from.height, from.width);
    const ImageSize shown = scaled_size(from, scale);
    recoded.pixels = resized_part(file, whole_of(from), shown, recoded.size, options);
    set_scales(recoded, shown);
  } else {
    const auto square = static_cast<float>(std::min(from.height, from.width));
    const float left = (static_cast<float>(from.width) - square) / 2;
    const float top = (static_cast<float>(from.height) - square) / 2;
    const Region centre{left, top, left + square, top + square};
    recoded.pixels = resized_part(file, centre, recoded.size, recoded.size, options);
  }
}

// Bytes are kept where they may be: a JPEG file that is not too large. It is decoded all the same,
// because a damaged one must not get in.
void recode_jpeg(std::vector<std::byte> file,
                 ImageFormat from_format,
                 const ImageImportOptions& options,
                 RecodedImage& recoded) {
  const ImageSize from = recoded.original;
  const std::int32_t longer = std::max(from.height, from.width);
  const bool larger = options.max_side > 0 && longer > options.max_side;
  recoded.size = from;
  if (larger) {
    const double scale = static_cast<double>(options.max_side) / longer;
    recoded.size = scaled_size(from, scale);
    recoded.pixels = resized_part(file, whole_of(from), recoded.size, recoded.size, options);
    set_scales(recoded, recoded.size);
  } else {
    DecodeOptions decode = decode_options(options);
    if (from_format == ImageFormat::kJpeg) decode.at_least = {kStatisticsSide, kStatisticsSide};
    recoded.pixels = decode_image(file, decode).image;
  }
  const bool keep = !larger && from_format == ImageFormat::kJpeg;
  recoded.file = keep ? std::move(file) : encode_jpeg(recoded.pixels, options.quality);
}

}  // namespace

RecodedImage recode_image(std::vector<std::byte> file,
                          bool keep_whole,
                          const ImageImportOptions& options) {
  const ImageHeader header = read_image_header(file, options.limits);
  RecodedImage recoded;
  recoded.original = header.size;
  recoded.shown = header.size;
  if (options.encoding == "jpeg") {
    recode_jpeg(std::move(file), header.format, options, recoded);
  } else {
    recode_raw(file, keep_whole, options, recoded);
  }
  return recoded;
}

}  // namespace lockstep::data
