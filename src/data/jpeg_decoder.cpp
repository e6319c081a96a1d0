// Pixels of a JPEG file, or of a part of it: smaller by the inverse transform, and without the
// work for what lies left, right, above and below of the part.
#include "image_checks.h"
#include "image_decoders.h"
#include "jpeg_reader.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace lockstep::data {
namespace {

// Columns and rows around the part, so that interpolated chroma at its edges is what a decode of
// the whole picture gives.
constexpr std::int64_t kMargin = 2;
// Cropping aligns to blocks and costs a few set-ups: below this share it saves nothing.
constexpr double kWorthCropping = 0.9;
constexpr std::size_t kRowsAtOnce = 16;

// What is decoded, in pixels of the output (after the reduction), ends excluded.
struct Part {
  std::int64_t x0 = 0;
  std::int64_t x1 = 0;
  std::int64_t y0 = 0;
  std::int64_t y1 = 0;
};

bool is_whole(const Region& region) { return region.x1 <= region.x0 || region.y1 <= region.y0; }

// The largest reduction with which neither side of the part falls below `at_least`.
int choose_reduction(const Region& region, ImageSize size, ImageSize at_least) {
  if (at_least.height < 1 || at_least.width < 1) return 1;
  const bool whole = is_whole(region);
  const float height = whole ? static_cast<float>(size.height) : region.y1 - region.y0;
  const float width = whole ? static_cast<float>(size.width) : region.x1 - region.x0;
  for (const int reduction : {8, 4, 2}) {
    const auto factor = static_cast<float>(reduction);
    if (height >= factor * static_cast<float>(at_least.height) &&
        width >= factor * static_cast<float>(at_least.width)) {
      return reduction;
    }
  }
  return 1;
}

void clip(std::int64_t& begin, std::int64_t& end, std::int64_t limit) {
  begin = std::clamp<std::int64_t>(begin - kMargin, 0, limit - 1);
  end = std::clamp<std::int64_t>(end + kMargin, begin + 1, limit);
}

Part part_of(const Region& region, int reduction, std::int64_t width, std::int64_t height) {
  if (is_whole(region)) return {0, width, 0, height};
  const auto scaled = [reduction](float value) { return value / static_cast<float>(reduction); };
  Part part{std::lround(std::floor(scaled(region.x0))),
            std::lround(std::ceil(scaled(region.x1))),
            std::lround(std::floor(scaled(region.y0))),
            std::lround(std::ceil(scaled(region.y1)))};
  clip(part.x0, part.x1, width);
  clip(part.y0, part.y1, height);
  return part;
}

J_COLOR_SPACE output_space(const jpeg_decompress_struct& state, std::int32_t channels) {
  if (state.num_components == 4) return JCS_CMYK;
  return channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
}

// Four values a pixel to one or three. Adobe's programs, and all that follow them, store CMYK
// inverted: 255 is no ink.
void convert_cmyk(std::span<const std::uint8_t> row,
                  bool inverted,
                  std::int32_t channels,
                  std::uint8_t* out) {
  const auto light = [inverted](std::uint8_t ink) -> unsigned {
    return inverted ? ink : 255U - ink;
  };
  for (std::size_t i = 0; i + 3 < row.size(); i += 4) {
    const unsigned black = light(row[i + 3]);
    std::array<std::uint8_t, 3> colour{};
    for (std::size_t k = 0; k < 3; ++k) {
      colour[k] = static_cast<std::uint8_t>((light(row[i + k]) * black + 127) / 255);
    }
    if (channels == 1) {
      *out++ = luma(colour[0], colour[1], colour[2]);
    } else {
      out = std::copy(colour.begin(), colour.end(), out);
    }
  }
}

class PartDecoder {
 public:
  PartDecoder(JpegReader& reader, const DecodeOptions& options)
      : reader_(reader), state_(reader.state()), options_(options) {}

  DecodedImage decode() {
    DecodedImage decoded;
    decoded.file_size = reader_.header().size;
    decoded.reduction = choose_reduction(options_.region, reader_.header().size, options_.at_least);
    Part part = start(decoded.reduction);
    crop(part);
    read(part, decoded.image);
    finish(part);
    const auto file = [&](std::int64_t value) {
      return static_cast<float>(value * decoded.reduction);
    };
    decoded.region = {file(part.x0), file(part.y0), file(part.x1), file(part.y1)};
    return decoded;
  }

 private:
  Part start(int reduction) {
    state_.scale_num = 1;
    state_.scale_denom = static_cast<unsigned>(reduction);
    state_.out_color_space = output_space(state_, options_.channels);
    reader_.errors().run([this] { jpeg_start_decompress(&state_); });
    full_width_ = state_.output_width;
    full_height_ = state_.output_height;
    return part_of(options_.region, reduction, full_width_, full_height_);
  }

  // Narrows the decoder to the columns of the part, as far as blocks allow, and moves to its first
  // row.
  void crop(Part& part) {
    const auto wanted = static_cast<double>(part.x1 - part.x0);
    JDIMENSION offset = 0;
    JDIMENSION width = state_.output_width;
    if (wanted < kWorthCropping * static_cast<double>(full_width_)) {
      offset = static_cast<JDIMENSION>(part.x0);
      width = static_cast<JDIMENSION>(part.x1 - part.x0);
      reader_.errors().run([&] { jpeg_crop_scanline(&state_, &offset, &width); });
    }
    part.x0 = offset;
    part.x1 = std::int64_t{offset} + width;
    if (part.y0 == 0) return;
    const auto rows = static_cast<JDIMENSION>(part.y0);
    JDIMENSION skipped = 0;
    reader_.errors().run([&] { skipped = jpeg_skip_scanlines(&state_, rows); });
    if (skipped != rows) throw data_error("JPEG: it ends above the part that is wanted");
  }

  // Pixels are appended as they are decoded: a file that ends early never had the whole allocated.
  void read(const Part& part, Image& image) {
    const auto width = static_cast<std::size_t>(part.x1 - part.x0);
    const auto height = static_cast<std::size_t>(part.y1 - part.y0);
    image.size = {static_cast<std::int32_t>(height), static_cast<std::int32_t>(width)};
    image.channels = options_.channels;
    const std::size_t row_bytes = width * static_cast<std::size_t>(options_.channels);
    image.pixels.reserve(height * row_bytes);
    const bool cmyk = state_.out_color_space == JCS_CMYK;
    std::vector<std::uint8_t> inks(cmyk ? width * 4 : 0);
    for (std::size_t row = 0; row < height;) {
      const std::size_t wanted = cmyk ? 1 : std::min(kRowsAtOnce, height - row);
      image.pixels.resize((row + wanted) * row_bytes);
      std::uint8_t* out = image.pixels.data() + row * row_bytes;
      const std::size_t given =
          cmyk ? read_rows(inks.data(), inks.size(), 1) : read_rows(out, row_bytes, wanted);
      if (given == 0) throw data_error("JPEG: it ends early");
      if (cmyk) convert_cmyk(inks, adobe(), options_.channels, out);
      row += given;
    }
    image.pixels.resize(height * row_bytes);
  }

  bool adobe() const { return state_.saw_Adobe_marker != 0; }

  std::size_t read_rows(std::uint8_t* out, std::size_t row_bytes, std::size_t count) {
    std::array<JSAMPROW, kRowsAtOnce> rows{};
    for (std::size_t i = 0; i < count; ++i) rows[i] = out + i * row_bytes;
    JDIMENSION given = 0;
    reader_.errors().run(
        [&] { given = jpeg_read_scanlines(&state_, rows.data(), static_cast<JDIMENSION>(count)); });
    return given;
  }

  // What lies below the part is not decoded.
  void finish(const Part& part) {
    if (part.y1 < full_height_) return;
    reader_.errors().run([this] { jpeg_finish_decompress(&state_); });
  }

  JpegReader& reader_;
  jpeg_decompress_struct& state_;
  const DecodeOptions& options_;
  std::int64_t full_width_ = 0;
  std::int64_t full_height_ = 0;
};

}  // namespace

ImageHeader read_jpeg_header(std::span<const std::byte> file, const ImageLimits& limits) {
  return JpegReader(file, limits).header();
}

DecodedImage decode_jpeg(std::span<const std::byte> file, const DecodeOptions& options) {
  JpegReader reader(file, options.limits);
  return PartDecoder(reader, options).decode();
}

}  // namespace lockstep::data
