// A detection data set in memory whose boxes can be seen: each is a bright rectangle.
#pragma once

#include <lockstep/base/error.h>
#include <lockstep/data/dataset.h>
#include <lockstep/data/detection_plan.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lockstep::test {

// Sample i has i % 4 boxes that do not touch; its id is 1000 + i, its size differs from those of
// its neighbours.
class PaintedDataset final : public data::Dataset {
 public:
  static constexpr int kBackground = 20;

  explicit PaintedDataset(std::int64_t num_samples) {
    info_.path = "painted";
    info_.task = "detection";
    info_.num_samples = num_samples;
    info_.channels = 3;
    info_.classes = {"a", "b", "c"};
    for (std::int64_t i = 0; i < num_samples; ++i) {
      for (std::int64_t j = 0; j < i % 4; ++j) {
        const auto x = static_cast<float>(3 + 15 * j + i % 3);
        const auto y = static_cast<float>(4 + 12 * j + i % 2);
        for (const float corner : {x, y, x + 11, y + 14}) corners_.push_back(corner);
        classes_.push_back(j);
        areas_.push_back(77);  // of an outline: half of the box
        crowd_.push_back(j == 1 && i % 2 == 1 ? 1 : 0);
      }
      ends_.push_back(classes_.size());
    }
  }

  static int brightness(std::int64_t name) { return 100 + 50 * static_cast<int>(name); }

  const data::DatasetInfo& info() const override { return info_; }
  void read_pixels(std::int64_t index, std::span<std::byte> out, bool verify) const override {
    read_stored(index, out, verify);
  }
  void read_stored(std::int64_t index, std::span<std::byte> out, bool /*verify*/) const override {
    if (index == failing) throw data_error("sample " + std::to_string(index) + " is bad");
    const auto width = static_cast<std::size_t>(image_size(index).width);
    for (std::byte& value : out) value = std::byte{kBackground};
    const data::Boxes found = boxes(index);
    for (std::size_t j = 0; j < found.classes.size(); ++j) {
      const auto corner = [&](std::size_t i) {
        return static_cast<std::size_t>(found.corners[4 * j + i]);
      };
      for (std::size_t y = corner(1); y < corner(3); ++y) {
        for (std::size_t x = 3 * corner(0); x < 3 * corner(2); ++x) {
          out[3 * y * width + x] = static_cast<std::byte>(brightness(found.classes[j]));
        }
      }
    }
  }
  data::ImageSize image_size(std::int64_t index) const override {
    return {static_cast<std::int32_t>(60 + 7 * (index % 5)),
            static_cast<std::int32_t>(80 - 9 * (index % 4))};
  }
  std::int64_t stored_bytes(std::int64_t index) const override {
    const data::ImageSize size = image_size(index);
    return std::int64_t{3} * size.height * size.width;
  }
  std::int64_t label(std::int64_t /*index*/) const override { return 0; }
  std::int64_t sample_id(std::int64_t index) const override { return 1000 + index; }
  data::Boxes boxes(std::int64_t index) const override {
    const auto i = static_cast<std::size_t>(index);
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    const std::size_t count = ends_[i] - begin;
    return {std::span(corners_).subspan(4 * begin, 4 * count),
            std::span(classes_).subspan(begin, count),
            std::span(areas_).subspan(begin, count),
            std::span(crowd_).subspan(begin, count)};
  }

  std::int64_t failing = -1;  // a sample that cannot be read

 private:
  data::DatasetInfo info_;
  std::vector<float> corners_;
  std::vector<std::int64_t> classes_;
  std::vector<float> areas_;
  std::vector<std::uint8_t> crowd_;
  std::vector<std::size_t> ends_;
};

// Small sizes, so that tests are quick: images become larger and smaller, and are cropped.
inline data::DetectionOptions small_recipe() {
  data::DetectionOptions options;
  options.short_sides = {40, 72, 150};
  options.max_long_side = 200;
  options.crop_short_sides = {64};
  options.crop_min = 24;
  options.crop_max = 56;
  options.eval_short_side = 100;
  options.pad_multiple = 16;
  return options;
}

}  // namespace lockstep::test
