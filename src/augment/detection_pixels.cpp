#include "convert_row.h"
#include "lerp_row.h"

#include <lockstep/augment/detection.h>
#include <lockstep/base/error.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace lockstep::augment {
namespace {

// Neighbours of results [0, out_size) that show [begin, end) of `size` source pixels. A part of a
// pixel at the region's edge is shown too; nothing beyond the image is.
AxisTable make_axis(
    double begin, double end, std::int32_t size, std::int32_t out_size, bool mirrored) {
  AxisTable table;
  const double step = (end - begin) / out_size;
  const double last = std::min<double>(size, std::ceil(end)) - 1;
  const double first = std::floor(begin);
  for (std::int32_t i = 0; i < out_size; ++i) {
    const std::int32_t at = mirrored ? out_size - 1 - i : i;
    const double place = std::clamp(begin + (at + 0.5) * step - 0.5, first, last);
    const double below = std::floor(place);
    table.first.push_back(static_cast<std::int32_t>(below));
    table.second.push_back(static_cast<std::int32_t>(std::min(below + 1, last)));
    table.weight.push_back(static_cast<float>(place - below));
  }
  return table;
}

// Source rows made into resized, normalised planes, the last two kept.
class SlotRows {
 public:
  SlotRows(const std::uint8_t* pixels,
           std::int64_t width,
           const std::vector<double>& mean,
           const std::vector<double>& std,
           AxisTable columns)
      : pixels_(pixels),
        width_(width),
        channels_(mean.size()),
        columns_(std::move(columns)),
        source_(channels_ * static_cast<std::size_t>(width + kRowPadding)) {
    for (std::size_t c = 0; c < channels_; ++c) {
      scale_[c] = static_cast<float>(1.0 / (255.0 * std[c]));
      shift_[c] = static_cast<float>(-mean[c] / std[c]);
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
                 scale_.data(),
                 shift_.data(),
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
  AxisTable columns_;
  std::vector<float> source_;
  std::array<float, 4> scale_{}, shift_{};
  std::array<float*, 4> planes_{};
  std::array<std::vector<float>, 2> rows_;
  std::array<std::int32_t, 2> shown_{-1, -1};
  std::size_t next_ = 0;
};

}  // namespace

void fill_detection_slot(std::span<const std::uint8_t> pixels,
                         data::ImageSize source,
                         const data::DetectionPlan& plan,
                         const std::vector<double>& mean,
                         const std::vector<double>& std,
                         data::ImageSize padded,
                         std::span<float> out) {
  LOCKSTEP_CHECK(mean.size() == std.size() && !mean.empty() && mean.size() <= 4,
                 "mean and std of one to four channels");
  const auto channels = static_cast<std::int64_t>(mean.size());
  const std::int64_t plane = std::int64_t{padded.height} * padded.width;
  LOCKSTEP_CHECK(std::ssize(pixels) == std::int64_t{source.height} * source.width * channels &&
                     std::ssize(out) == plane * channels,
                 "pixels and slot of the sizes that are told");
  LOCKSTEP_CHECK(plan.size.height <= padded.height && plan.size.width <= padded.width,
                 "an image that fits its slot");
  std::ranges::fill(out, 0.0F);
  const data::Region& region = plan.region;
  const AxisTable rows = make_axis(region.y0, region.y1, source.height, plan.size.height, false);
  SlotRows resized(pixels.data(),
                   source.width,
                   mean,
                   std,
                   make_axis(region.x0, region.x1, source.width, plan.size.width, plan.flip));
  for (std::int32_t y = 0; y < plan.size.height; ++y) {
    const auto at = static_cast<std::size_t>(y);
    const float* const top = resized.get(rows.first[at]);
    const float* const bottom = resized.get(rows.second[at]);
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::int64_t offset = c * plan.size.width;
      blend_rows(top + offset,
                 bottom + offset,
                 rows.weight[at],
                 plan.size.width,
                 out.data() + c * plane + std::int64_t{y} * padded.width);
    }
  }
}

}  // namespace lockstep::augment
