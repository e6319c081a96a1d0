// The pictures of an import: file names, labels and boxes, packed, because there may be millions.
#pragma once

#include <lockstep/data/image.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::data {

struct TableBox {
  std::array<float, 4> corners{};  // x0 y0 x1 y1 in pixels of the file
  std::int32_t name = 0;           // class
  float area = 0;                  // square pixels
  bool crowd = false;
};

class ImageTable {
 public:
  struct Item {
    std::int64_t label = 0;
    std::int64_t sample_id = 0;
    ImageSize expected;  // 0: the annotation does not say
  };

  void add(std::string_view file, const Item& item) {
    names_ += file;
    name_ends_.push_back(names_.size());
    items_.push_back(item);
    box_ends_.push_back(boxes_.size());
  }
  // Of the picture that was added last.
  void add_box(const TableBox& box) {
    boxes_.push_back(box);
    box_ends_.back() = boxes_.size();
  }

  std::int64_t size() const { return std::ssize(items_); }
  std::int64_t num_boxes() const { return std::ssize(boxes_); }
  const Item& operator[](std::int64_t i) const { return items_[static_cast<std::size_t>(i)]; }
  std::string file(std::int64_t i) const {
    const auto index = static_cast<std::size_t>(i);
    const std::size_t begin = index == 0 ? 0 : name_ends_[index - 1];
    return names_.substr(begin, name_ends_[index] - begin);
  }
  std::span<const TableBox> boxes(std::int64_t i) const {
    const auto index = static_cast<std::size_t>(i);
    const std::size_t begin = index == 0 ? 0 : box_ends_[index - 1];
    return std::span(boxes_).subspan(begin, box_ends_[index] - begin);
  }

 private:
  std::string names_;
  std::vector<std::size_t> name_ends_;
  std::vector<Item> items_;
  std::vector<TableBox> boxes_;
  std::vector<std::size_t> box_ends_;
};

}  // namespace lockstep::data
