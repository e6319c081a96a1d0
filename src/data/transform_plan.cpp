#include <lockstep/base/random.h>
#include <lockstep/data/transform_plan.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace lockstep::data {
namespace {

// Keep these draws apart from every other use of (seed, epoch).
constexpr std::uint64_t kStreamTag = 0x7472616E73666F72;
constexpr std::uint64_t kCropTag = 0x63726F70706C616E;

constexpr int kCropTries = 10;

Region make_region(std::int64_t x0, std::int64_t y0, std::int64_t width, std::int64_t height) {
  return {static_cast<float>(x0),
          static_cast<float>(y0),
          static_cast<float>(x0 + width),
          static_cast<float>(y0 + height)};
}

// The largest centred region of about this ratio of width to height.
Region centre_region(ImageSize source, double ratio) {
  const auto rounded = [](double side, std::int32_t most) {
    return std::clamp<std::int64_t>(std::llround(side), 1, most);
  };
  std::int64_t width = source.width;
  std::int64_t height = source.height;
  if (static_cast<double>(width) > ratio * static_cast<double>(height)) {
    width = rounded(ratio * static_cast<double>(height), source.width);
  } else {
    height = rounded(static_cast<double>(width) / ratio, source.height);
  }
  return make_region((source.width - width) / 2, (source.height - height) / 2, width, height);
}

std::optional<Region> try_region(const AugmentOptions& options,
                                 ImageSize source,
                                 PhiloxStream& random) {
  const auto draw = [&random](double low, double high) {
    return low + (high - low) * random.uniform();
  };
  const double area = static_cast<double>(source.height) * static_cast<double>(source.width) *
                      draw(options.crop_area[0], options.crop_area[1]);
  const double ratio =
      std::exp(draw(std::log(options.crop_ratio[0]), std::log(options.crop_ratio[1])));
  const std::int64_t width = std::llround(std::sqrt(area * ratio));
  const std::int64_t height = std::llround(std::sqrt(area / ratio));
  if (width < 1 || height < 1 || width > source.width || height > source.height) return {};
  const auto place = [&random](std::int64_t room) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(room + 1)));
  };
  const std::int64_t y0 = place(source.height - height);
  const std::int64_t x0 = place(source.width - width);
  return make_region(x0, y0, width, height);
}

Region random_region(const AugmentOptions& options, ImageSize source, PhiloxStream& random) {
  for (int i = 0; i < kCropTries; ++i) {
    if (const auto region = try_region(options, source, random)) return *region;
  }
  const double own = static_cast<double>(source.width) / static_cast<double>(source.height);
  return centre_region(source, std::clamp(own, options.crop_ratio[0], options.crop_ratio[1]));
}

}  // namespace

TransformPlan plan_transform(const AugmentOptions& options,
                             std::uint64_t seed,
                             std::int64_t epoch,
                             std::int64_t sample_id) {
  TransformPlan plan;
  if (!options.flip && options.shift_pixels == 0) return plan;
  const auto bits = philox(
      seed ^ kStreamTag, static_cast<std::uint64_t>(sample_id), static_cast<std::uint64_t>(epoch));
  const auto range = static_cast<std::uint64_t>(2 * options.shift_pixels + 1);
  const auto draw = [range, &options](std::uint32_t word) {
    return static_cast<std::int32_t>((word * range) >> 32) -
           static_cast<std::int32_t>(options.shift_pixels);
  };
  plan.dx = draw(bits[0]);
  plan.dy = draw(bits[1]);
  plan.flip = options.flip && (bits[2] >> 31) != 0;
  return plan;
}

Geometry plan_geometry(const AugmentOptions& options,
                       bool training,
                       std::uint64_t seed,
                       std::int64_t epoch,
                       std::int64_t sample_id,
                       ImageSize source,
                       ImageSize target) {
  Geometry geometry;
  geometry.size = target;
  const bool random = training && sample_id >= 0;
  if (random && options.random_crop) {
    const auto bits = philox(
        seed ^ kCropTag, static_cast<std::uint64_t>(sample_id), static_cast<std::uint64_t>(epoch));
    PhiloxStream stream(bits[0] | (std::uint64_t{bits[1]} << 32),
                        bits[2] | (std::uint64_t{bits[3]} << 32));
    geometry.region = random_region(options, source, stream);
  } else {
    geometry.region = centre_region(
        source, static_cast<double>(target.width) / static_cast<double>(target.height));
  }
  geometry.flip = random && plan_transform(options, seed, epoch, sample_id).flip;
  return geometry;
}

}  // namespace lockstep::data
