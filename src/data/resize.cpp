// Separable resizing in 16-bit fixed point: first rows, which are long and contiguous, then the
// columns of the few rows that are left. Compiled with -O3: the loops are written so that one
// multiplication instruction of the machine handles eight or sixteen values.
#if defined(__SSE2__)
#include "lanes_x86.h"
#else
#include "lanes_other.h"
#endif

#include <lockstep/base/error.h>
#include <lockstep/data/image.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace lockstep::data {
namespace {

// Weights sum to this; a value times a weight keeps its upper 16 bits, so values stay scaled by
// 256 throughout.
constexpr std::int32_t kOne = 65535;
constexpr std::size_t kLanes = 8;
// Cutting off the lower bits loses half a step a tap, which is given back as one sum. Beyond this
// many taps the loss would show, and sums are exact in 32 bits instead, at a quarter of the speed.
constexpr std::size_t kMaxFastTaps = 32;

struct Taps {
  std::size_t first = 0;  // pixel of the source
  std::size_t count = 0;
  std::size_t offset = 0;  // of its weights
};

// The triangle filter along one axis. Its support grows with the reduction (Heckbert 1989, in the
// form of Pillow's resampling); pixels outside the region have no part in it.
class Axis {
 public:
  Axis(float begin, float end, std::int32_t size) {
    const double step = (static_cast<double>(end) - begin) / size;
    const double support = std::max(step, 1.0);
    const double low = std::floor(begin);
    const double high = std::ceil(end);
    for (std::int32_t i = 0; i < size; ++i) {
      const double center = begin + (i + 0.5) * step;
      const double first = std::max(std::floor(center - support + 0.5), low);
      const double last = std::min(std::floor(center + support + 0.5), high);
      add(first, std::max(last, first + 1), center, support);
    }
  }

  std::size_t size() const { return taps_.size(); }
  const Taps& operator[](std::size_t i) const { return taps_[i]; }
  std::span<const std::uint16_t> weights(const Taps& taps) const {
    return std::span(weights_).subspan(taps.offset, taps.count);
  }

 private:
  void add(double first, double last, double center, double support) {
    const auto count = static_cast<std::size_t>(last - first);
    taps_.push_back({static_cast<std::size_t>(first), count, weights_.size()});
    shares_.assign(count, 0);
    double total = 0;
    for (std::size_t k = 0; k < count; ++k) {
      const double distance = std::abs(first + static_cast<double>(k) + 0.5 - center) / support;
      shares_[k] = std::max(0.0, 1.0 - distance);
      total += shares_[k];
    }
    // A lone pixel at the very edge of the region may be further away than the support.
    if (total <= 0) std::fill(shares_.begin(), shares_.end(), total = 1.0);
    // Sums are rounded, not weights, so that they add up and a flat area stays as it is.
    double sum = 0;
    std::int32_t given = 0;
    for (const double share : shares_) {
      sum += share;
      const auto until = static_cast<std::int32_t>(sum / total * kOne + 0.5);
      weights_.push_back(static_cast<std::uint16_t>(until - given));
      given = until;
    }
  }

  std::vector<Taps> taps_;
  std::vector<std::uint16_t> weights_;
  std::vector<double> shares_;
};

std::uint16_t bias_of(std::size_t num_taps) { return static_cast<std::uint16_t>(num_taps / 2); }

// Upper half of the product: pmulhuw where the compiler sees it.
inline std::uint16_t scaled(std::uint16_t value, std::uint16_t weight) {
  return static_cast<std::uint16_t>((std::uint32_t{value} * weight) >> 16);
}

// sums += rows * weight, values scaled by 256.
__attribute__((target_clones("avx2", "default"))) void add_row(const std::uint8_t* __restrict row,
                                                               std::uint16_t weight,
                                                               std::size_t count,
                                                               std::uint16_t* __restrict sums) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<std::uint16_t>(row[i] << 8);
    sums[i] = static_cast<std::uint16_t>(sums[i] + scaled(value, weight));
  }
}

__attribute__((target_clones("avx2", "default"))) void add_row_exactly(
    const std::uint8_t* __restrict row,
    std::uint16_t weight,
    std::size_t count,
    std::uint32_t* __restrict sums) {
  for (std::size_t i = 0; i < count; ++i) sums[i] += std::uint32_t{row[i]} * weight;
}

// Weights of the columns, laid out as the sums are read: kLanes values at once, which hold
// kLanes / C pixels of C channels. All columns take as many vectors as the widest one, so that the
// inner loop has a length that the compiler knows.
template <std::size_t C>
class Columns {
 public:
  static constexpr std::size_t kPixels = kLanes / C;
  static constexpr std::size_t kStep = kPixels * C;

  explicit Columns(const Axis& axis) {
    std::size_t most_taps = 0;
    for (std::size_t x = 0; x < axis.size(); ++x) most_taps = std::max(most_taps, axis[x].count);
    num_vectors_ = (most_taps + kPixels - 1) / kPixels;
    exact_ = most_taps > kMaxFastTaps;
    bias_ = static_cast<std::uint16_t>(128 + bias_of(most_taps));
    lanes_.resize(axis.size() * num_vectors_ * kLanes, 0);
    for (std::size_t x = 0; x < axis.size(); ++x) {
      first_.push_back(axis[x].first * C);
      const auto weights = axis.weights(axis[x]);
      std::uint16_t* lanes = lanes_.data() + x * num_vectors_ * kLanes;
      for (std::size_t k = 0; k < weights.size(); ++k) {
        std::fill_n(lanes + k / kPixels * kLanes + k % kPixels * C, C, weights[k]);
      }
    }
  }

  // Values that are read, and not used, past the last column of the source.
  std::size_t overhang() const { return num_vectors_ * kLanes; }

  // `sums` begins at the first column of the source and is readable overhang() values past its end.
  void apply(const std::uint16_t* sums, std::uint8_t* out) const {
    if (exact_) return apply_exactly(sums, out);
    switch (num_vectors_) {
      case 1:
        return apply_vectors<1>(sums, out, 1);
      case 2:
        return apply_vectors<2>(sums, out, 2);
      case 3:
        return apply_vectors<3>(sums, out, 3);
      default:
        return apply_vectors<0>(sums, out, num_vectors_);
    }
  }

 private:
  // N: so many vectors a column; 0: as many as `count` says.
  template <std::size_t N>
  void apply_vectors(const std::uint16_t* sums, std::uint8_t* out, std::size_t count) const {
    const std::size_t num_vectors = N == 0 ? count : N;
    const Lanes bias = all_lanes(bias_);
    const std::uint16_t* weights = lanes_.data();
    for (std::size_t x = 0; x < first_.size(); ++x) {
      const std::uint16_t* source = sums + first_[x];
      Lanes total = all_lanes(0);
      for (std::size_t v = 0; v < num_vectors; ++v) {
        total = add_scaled(total, load_lanes(source + v * kStep), load_lanes(weights));
        weights += kLanes;
      }
      store(upper_bytes<C>(total, bias), x, out);
    }
  }

  void apply_exactly(const std::uint16_t* sums, std::uint8_t* out) const {
    for (std::size_t x = 0; x < first_.size(); ++x) {
      const std::uint16_t* weights = lanes_.data() + x * num_vectors_ * kLanes;
      store(exact_sum(sums + first_[x], weights), x, out);
    }
  }

  std::uint32_t exact_sum(const std::uint16_t* source, const std::uint16_t* weights) const {
    std::array<std::uint64_t, C> total;
    total.fill(std::uint64_t{1} << 23);
    for (std::size_t v = 0; v < num_vectors_; ++v) {
      for (std::size_t lane = 0; lane < kStep; ++lane) {
        total[lane % C] += std::uint64_t{source[v * kStep + lane]} * weights[v * kLanes + lane];
      }
    }
    std::uint32_t bytes = 0;
    for (std::size_t c = 0; c < C; ++c) {
      bytes |= static_cast<std::uint32_t>(std::min<std::uint64_t>(total[c] >> 24, 255)) << (8 * c);
    }
    return bytes;
  }

  // A pixel of three channels is written as four bytes, the last of which the next one covers.
  void store(std::uint32_t bytes, std::size_t x, std::uint8_t* out) const {
    std::uint8_t* to = out + x * C;
    if (C == 3 && x + 1 < first_.size()) {
      std::memcpy(to, &bytes, sizeof bytes);
    } else {
      for (std::size_t c = 0; c < C; ++c) to[c] = static_cast<std::uint8_t>(bytes >> (8 * c));
    }
  }

  std::vector<std::size_t> first_;    // value of the source
  std::vector<std::uint16_t> lanes_;  // (columns, num_vectors_, kLanes)
  std::size_t num_vectors_ = 0;
  bool exact_ = false;
  std::uint16_t bias_ = 0;
};

// Sums over rows, for the columns [left, left + count / C) of the source.
class RowSums {
 public:
  RowSums(std::size_t count, std::size_t overhang) : sums_(count + overhang), count_(count) {}

  // `begin` is the first value of the topmost row.
  const std::uint16_t* add(const std::uint8_t* begin,
                           std::size_t stride,
                           std::span<const std::uint16_t> weights) {
    if (weights.size() > kMaxFastTaps) return add_exactly(begin, stride, weights);
    std::fill_n(sums_.begin(), count_, bias_of(weights.size()));
    for (const std::uint16_t weight : weights) {
      add_row(begin, weight, count_, sums_.data());
      begin += stride;
    }
    return sums_.data();
  }

 private:
  const std::uint16_t* add_exactly(const std::uint8_t* begin,
                                   std::size_t stride,
                                   std::span<const std::uint16_t> weights) {
    exact_.assign(count_, 128);
    for (const std::uint16_t weight : weights) {
      add_row_exactly(begin, weight, count_, exact_.data());
      begin += stride;
    }
    std::transform(exact_.begin(), exact_.end(), sums_.begin(), [](std::uint32_t sum) {
      return static_cast<std::uint16_t>(sum >> 8);
    });
    return sums_.data();
  }

  std::vector<std::uint16_t> sums_;
  std::vector<std::uint32_t> exact_;
  std::size_t count_;
};

template <std::size_t C>
void resize(const std::uint8_t* pixels,
            std::size_t width,
            const Region& region,
            ImageSize to,
            std::uint8_t* out) {
  const Axis rows(region.y0, region.y1, to.height);
  const auto left = static_cast<std::size_t>(std::floor(region.x0));
  const auto right = static_cast<std::size_t>(std::ceil(region.x1));
  const auto shift = static_cast<float>(left);
  const Columns<C> columns(Axis(region.x0 - shift, region.x1 - shift, to.width));
  RowSums sums((right - left) * C, columns.overhang());
  for (std::size_t y = 0; y < rows.size(); ++y) {
    const Taps& taps = rows[y];
    const std::uint8_t* begin = pixels + (taps.first * width + left) * C;
    columns.apply(sums.add(begin, width * C, rows.weights(taps)),
                  out + y * static_cast<std::size_t>(to.width) * C);
  }
}

}  // namespace

void resize_region(std::span<const std::uint8_t> pixels,
                   ImageSize size,
                   std::int32_t channels,
                   const Region& region,
                   ImageSize to,
                   std::span<std::uint8_t> out) {
  LOCKSTEP_CHECK(channels == 1 || channels == 3, "images have 1 or 3 channels");
  LOCKSTEP_CHECK(region.x0 >= 0 && region.y0 >= 0 && region.x1 > region.x0 &&
                     region.y1 > region.y0 && region.x1 <= static_cast<float>(size.width) &&
                     region.y1 <= static_cast<float>(size.height),
                 "a region that lies outside the image, or is empty");
  const std::int64_t wanted = std::int64_t{to.height} * to.width * channels;
  LOCKSTEP_CHECK(to.height > 0 && to.width > 0 && std::ssize(out) >= wanted &&
                     std::ssize(pixels) >= std::int64_t{size.height} * size.width * channels,
                 "buffers that do not hold the images");
  const auto width = static_cast<std::size_t>(size.width);
  if (channels == 3) {
    resize<3>(pixels.data(), width, region, to, out.data());
  } else {
    resize<1>(pixels.data(), width, region, to, out.data());
  }
}

}  // namespace lockstep::data
