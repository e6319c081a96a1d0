#include "pixel_statistics.h"

#include <cmath>

namespace lockstep::data {
namespace {

constexpr std::size_t kLevels = 256;

}  // namespace

PixelStatistics::PixelStatistics(std::int64_t channels)
    : channels_(static_cast<std::size_t>(channels)), counts_(channels_ * kLevels, 0) {}

void PixelStatistics::add(std::span<const std::byte> pixels) {
  for (std::size_t i = 0; i + channels_ <= pixels.size(); i += channels_) {
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      ++counts_[channel * kLevels + static_cast<std::size_t>(pixels[i + channel])];
    }
  }
}

void PixelStatistics::add(const PixelStatistics& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

std::vector<double> PixelStatistics::mean() const {
  std::vector<double> result;
  for (std::size_t channel = 0; channel < channels_; ++channel) {
    double count = 0;
    double sum = 0;
    for (std::size_t level = 0; level < kLevels; ++level) {
      const auto pixels = static_cast<double>(counts_[channel * kLevels + level]);
      count += pixels;
      sum += pixels * static_cast<double>(level);
    }
    result.push_back(count > 0 ? sum / count / 255.0 : 0.5);
  }
  return result;
}

std::vector<double> PixelStatistics::deviation() const {
  const std::vector<double> means = mean();
  std::vector<double> result;
  for (std::size_t channel = 0; channel < channels_; ++channel) {
    double count = 0;
    double sum = 0;
    for (std::size_t level = 0; level < kLevels; ++level) {
      const auto pixels = static_cast<double>(counts_[channel * kLevels + level]);
      const double distance = static_cast<double>(level) / 255.0 - means[channel];
      count += pixels;
      sum += pixels * distance * distance;
    }
    const double variance = count > 0 ? sum / count : 0.25;
    result.push_back(variance > 1e-12 ? std::sqrt(variance) : 1.0);
  }
  return result;
}

}  // namespace lockstep::data
