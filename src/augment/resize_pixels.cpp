#include "resize_pixels.h"

#include "convert_row.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace lockstep::augment {
namespace {

// Two rows of a result's width, kept by the source row they show: going down an image each source
// row is made once.
template <class Value>
class RowPair {
 public:
  RowPair(std::vector<Value>& memory, std::size_t row_size) : memory_(memory), size_(row_size) {
    if (memory_.size() < 2 * size_) memory_.resize(2 * size_);
  }
  // The row that shows `source`, made by make(Value*) when it is not there; a row that shows `kept`
  // stays.
  template <class Make>
  const Value* get(std::int32_t source, std::int32_t kept, const Make& make) {
    for (std::size_t i = 0; i < 2; ++i) {
      if (shown_[i] == source) return memory_.data() + i * size_;
    }
    const std::size_t i = shown_[0] == kept ? 1 : 0;
    shown_[i] = source;
    make(memory_.data() + i * size_);
    return memory_.data() + i * size_;
  }

 private:
  std::vector<Value>& memory_;
  std::size_t size_;
  std::array<std::int32_t, 2> shown_{-1, -1};
};

// Makes normalised, resized planes of one source row.
class PlaneRows {
 public:
  PlaneRows(const std::uint8_t* pixels,
            const PassShape& shape,
            const SamplePlan& plan,
            const float* scale,
            const float* shift,
            InsideRange columns,
            PassMemory& memory)
      : first_(pixels +
               (std::int64_t{plan.crop_y} * shape.source_width + plan.crop_x) * shape.channels),
        stride_(std::int64_t{shape.source_width} * shape.channels),
        crop_width_(plan.crop_width),
        channels_(shape.channels),
        width_(columns.end - columns.begin),
        scale_(scale),
        shift_(shift),
        table_(memory.columns),
        source_(memory.source_row) {
    const auto needed =
        static_cast<std::size_t>(channels_ * (std::int64_t{shape.source_width} + kRowPadding));
    if (source_.size() < needed) source_.resize(needed);
    plane_ = shape.source_width + kRowPadding;
  }

  void make(std::int32_t row, float* to) const {
    std::array<float*, 4> planes{};
    for (std::int64_t c = 0; c < channels_; ++c) {
      planes[static_cast<std::size_t>(c)] = source_.data() + c * plane_;
    }
    convert_row({first_ + row * stride_, crop_width_, scale_, shift_, planes.data(), false},
                channels_,
                false);
    for (std::int64_t c = 0; c < channels_; ++c) {
      lerp_row(source_.data() + c * plane_, table_, width_, to + c * width_);
    }
  }

 private:
  const std::uint8_t* first_;
  std::int64_t stride_;
  std::int64_t crop_width_;
  std::int64_t channels_;
  std::int64_t width_;
  std::int64_t plane_ = 0;
  const float* scale_;
  const float* shift_;
  const AxisTable& table_;
  std::vector<float>& source_;
};

// Resized bytes of one source row, times kWeightUnit.
void make_byte_row(const std::uint8_t* row,
                   std::int32_t channels,
                   const std::vector<AxisPosition>& columns,
                   std::int32_t* to) {
  for (const AxisPosition& column : columns) {
    const std::int32_t weight = byte_weight(column);
    const std::uint8_t* const a = row + std::int64_t{column.first} * channels;
    const std::uint8_t* const b = row + std::int64_t{column.second} * channels;
    for (std::int32_t c = 0; c < channels; ++c) {
      *to++ = a[c] * (kWeightUnit - weight) + b[c] * weight;
    }
  }
}

void blend_byte_rows(const std::int32_t* top,
                     const std::int32_t* bottom,
                     std::int32_t weight,
                     std::int64_t count,
                     std::uint8_t* to) {
  constexpr std::int32_t kUnit = kWeightUnit * kWeightUnit;
  for (std::int64_t i = 0; i < count; ++i) {
    to[i] = static_cast<std::uint8_t>(
        (top[i] * (kWeightUnit - weight) + bottom[i] * weight + kUnit / 2) / kUnit);
  }
}

void copy_rows(const std::uint8_t* from,
               std::int64_t stride,
               const PassShape& shape,
               std::uint8_t* to) {
  const std::int64_t row = std::int64_t{shape.width} * shape.channels;
  for (std::int32_t y = 0; y < shape.height; ++y) {
    std::memcpy(to + y * row, from + y * stride, static_cast<std::size_t>(row));
  }
}

}  // namespace

InsideRange inside_range(std::int32_t move, std::int32_t size) {
  return {std::clamp(-move, 0, size), std::clamp(size - move, 0, size)};
}

void fill_axis(std::int32_t size,
               std::int32_t out_size,
               std::int32_t move,
               bool mirrored,
               InsideRange inside,
               AxisTable& table) {
  const auto count = static_cast<std::size_t>(std::max(0, inside.end - inside.begin));
  table.first.resize(count);
  table.second.resize(count);
  table.weight.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t at = inside.begin + static_cast<std::int32_t>(i) + move;
    const AxisPosition position =
        axis_position(mirrored ? out_size - 1 - at : at, 0, size, out_size);
    table.first[i] = position.first;
    table.second[i] = position.second;
    table.weight[i] = weight_of(position);
  }
}

void resize_to_planes(const std::uint8_t* pixels,
                      const PassShape& shape,
                      const SamplePlan& plan,
                      const float* scale,
                      const float* shift,
                      PassMemory& memory,
                      float* out) {
  const InsideRange columns = inside_range(plan.dx, shape.width);
  const InsideRange rows = inside_range(plan.dy, shape.height);
  const std::int64_t inner = std::max(0, columns.end - columns.begin);
  fill_axis(plan.crop_width, shape.width, plan.dx, plan.flip != 0, columns, memory.columns);
  fill_axis(plan.crop_height, shape.height, plan.dy, false, rows, memory.rows);
  const PlaneRows source(pixels, shape, plan, scale, shift, columns, memory);
  RowPair<float> pair(memory.resized_rows, static_cast<std::size_t>(inner * shape.channels));
  for (std::int32_t y = 0; y < shape.height; ++y) {
    const bool inside = inner > 0 && y >= rows.begin && y < rows.end;
    const float* top = nullptr;     // (C, inner)
    const float* bottom = nullptr;  // (C, inner)
    float weight = 0;
    if (inside) {
      const auto at = static_cast<std::size_t>(y - rows.begin);
      const std::int32_t first = memory.rows.first[at];
      const std::int32_t second = memory.rows.second[at];
      top = pair.get(first, second, [&](float* to) { source.make(first, to); });
      bottom = pair.get(second, first, [&](float* to) { source.make(second, to); });
      weight = memory.rows.weight[at];
    }
    for (std::int32_t c = 0; c < shape.channels; ++c) {
      float* const row = out + (std::int64_t{c} * shape.height + y) * shape.width;
      std::fill(row, row + (inside ? columns.begin : shape.width), shift[c]);
      if (!inside) continue;
      blend_rows(top + c * inner, bottom + c * inner, weight, inner, row + columns.begin);
      std::fill(row + columns.end, row + shape.width, shift[c]);
    }
  }
}

void resize_to_bytes(const std::uint8_t* pixels,
                     const PassShape& shape,
                     const SamplePlan& plan,
                     PassMemory& memory,
                     std::uint8_t* bytes) {
  const std::int64_t stride = std::int64_t{shape.source_width} * shape.channels;
  const std::uint8_t* const first =
      pixels + plan.crop_y * stride + std::int64_t{plan.crop_x} * shape.channels;
  if (plan.crop_width == shape.width && plan.crop_height == shape.height) {
    copy_rows(first, stride, shape, bytes);
    return;
  }
  std::vector<AxisPosition>& columns = memory.byte_columns;
  columns.clear();
  for (std::int32_t x = 0; x < shape.width; ++x) {
    columns.push_back(axis_position(x, 0, plan.crop_width, shape.width));
  }
  const std::int64_t row_size = std::int64_t{shape.width} * shape.channels;
  RowPair<std::int32_t> pair(memory.byte_rows, static_cast<std::size_t>(row_size));
  for (std::int32_t y = 0; y < shape.height; ++y) {
    const AxisPosition row = axis_position(y, 0, plan.crop_height, shape.height);
    const auto make = [&](std::int32_t source) {
      return [&, source](std::int32_t* to) {
        make_byte_row(first + source * stride, shape.channels, columns, to);
      };
    };
    const std::int32_t* const top = pair.get(row.first, row.second, make(row.first));
    const std::int32_t* const bottom = pair.get(row.second, row.first, make(row.second));
    blend_byte_rows(top, bottom, byte_weight(row), row_size, bytes + y * row_size);
  }
}

}  // namespace lockstep::augment
