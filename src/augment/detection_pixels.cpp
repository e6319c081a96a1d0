#include "convert_row.h"
#include "lerp_row.h"
#include "pixel_math.h"
#include "transform_pixels.h"

#include <lockstep/augment/detection.h>
#include <lockstep/base/error.h>

#include <algorithm>
#include <array>
#include <utility>

namespace lockstep::augment {
namespace {

AxisTable make_axis(
    float begin, float end, std::int32_t size, std::int32_t out_size, bool mirrored) {
  AxisTable table;
  for (std::int32_t i = 0; i < out_size; ++i) {
    const RegionPosition position =
        region_position(mirrored ? out_size - 1 - i : i, begin, end, size, out_size);
    table.first.push_back(position.first);
    table.second.push_back(position.second);
    table.weight.push_back(position.weight);
  }
  return table;
}

// Source rows made into resized, normalised planes, the last two kept.
class SlotRows {
 public:
  SlotRows(const std::uint8_t* pixels,
           std::int64_t width,
           std::int64_t channels,
           const Normalisation& normalisation,
           AxisTable columns)
      : pixels_(pixels),
        width_(width),
        channels_(static_cast<std::size_t>(channels)),
        normalisation_(normalisation),
        columns_(std::move(columns)),
        source_(channels_ * static_cast<std::size_t>(width + kRowPadding)) {
    for (std::size_t c = 0; c < channels_; ++c) {
      planes_[c] = source_.data() + static_cast<std::int64_t>(c) * (width + kRowPadding);
    }
    for (auto& row : rows_) row.resize(channels_ * columns_.first.size());
  }

  // (C, result W) of a source row. Two calls in a row give two different places.
  const float* get(std::int32_t row) {
    for (std::size_t i = 0; i < 2; ++i) {
      if (shown_[i] != row) continue;
      next_ = 1 - i;
      return rows_[i].data();
    }
    const std::size_t i = next_;
    next_ = 1 - i;
    shown_[i] = row;
    const auto channels = static_cast<std::int64_t>(channels_);
    convert_row({pixels_ + row * width_ * channels,
                 width_,
                 normalisation_.scale,
                 normalisation_.shift,
                 planes_.data(),
                 false},
                channels,
                false);
    const std::int64_t out_width = std::ssize(columns_.first);
    for (std::int64_t c = 0; c < channels; ++c) {
      lerp_row(planes_[static_cast<std::size_t>(c)],
               columns_,
               out_width,
               rows_[i].data() + c * out_width);
    }
    return rows_[i].data();
  }

 private:
  const std::uint8_t* pixels_;
  std::int64_t width_;
  std::size_t channels_;
  Normalisation normalisation_;
  AxisTable columns_;
  std::vector<float> source_;
  std::array<float*, 4> planes_{};
  std::array<std::vector<float>, 2> rows_;
  std::array<std::int32_t, 2> shown_{-1, -1};
  std::size_t next_ = 0;
};

}  // namespace

void fill_detection_slot(std::span<const std::uint8_t> pixels,
                         data::ImageSize source,
                         const data::Geometry& geometry,
                         const std::vector<double>& mean,
                         const std::vector<double>& std,
                         data::ImageSize padded,
                         std::span<float> out) {
  const Normalisation normalisation = make_normalisation(mean, std);
  const auto channels = static_cast<std::int64_t>(mean.size());
  const std::int64_t plane = std::int64_t{padded.height} * padded.width;
  LOCKSTEP_CHECK(std::ssize(pixels) == std::int64_t{source.height} * source.width * channels &&
                     std::ssize(out) == plane * channels,
                 "pixels and slot of the sizes that are told");
  LOCKSTEP_CHECK(geometry.size.height <= padded.height && geometry.size.width <= padded.width,
                 "an image that fits its slot");
  std::ranges::fill(out, 0.0F);
  const data::Region& region = geometry.region;
  const AxisTable rows =
      make_axis(region.y0, region.y1, source.height, geometry.size.height, false);
  SlotRows resized(
      pixels.data(),
      source.width,
      channels,
      normalisation,
      make_axis(region.x0, region.x1, source.width, geometry.size.width, geometry.flip));
  for (std::int32_t y = 0; y < geometry.size.height; ++y) {
    const auto at = static_cast<std::size_t>(y);
    const float* const top = resized.get(rows.first[at]);
    const float* const bottom = resized.get(rows.second[at]);
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::int64_t offset = c * geometry.size.width;
      blend_rows(top + offset,
                 bottom + offset,
                 rows.weight[at],
                 geometry.size.width,
                 out.data() + c * plane + std::int64_t{y} * padded.width);
    }
  }
}

data::DetectionToFloats make_detection_to_floats(const std::vector<double>& mean,
                                                 const std::vector<double>& std) {
  return [mean, std](std::span<const std::uint8_t> pixels,
                     const data::DetectionImage& image,
                     data::ImageSize padded,
                     std::span<float> out) {
    fill_detection_slot(pixels, image.stored, image.rest, mean, std, padded, out);
  };
}

}  // namespace lockstep::augment
