#include <lockstep/base/random.h>
#include <lockstep/data/detection_plan.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace lockstep::data {
namespace {

// Keeps these draws apart from every other use of (seed, epoch).
constexpr std::uint64_t kStreamTag = 0x6465746563746F72;

PhiloxStream make_stream(std::uint64_t seed, std::int64_t epoch, std::int64_t sample_id) {
  const auto bits = philox(
      seed ^ kStreamTag, static_cast<std::uint64_t>(sample_id), static_cast<std::uint64_t>(epoch));
  return {bits[0] | (std::uint64_t{bits[1]} << 32), bits[2] | (std::uint64_t{bits[3]} << 32)};
}

std::int64_t choose(const std::vector<std::int64_t>& values, PhiloxStream& random) {
  return values[random.below(values.size())];
}

// From low to high, both included.
std::int64_t draw(std::int64_t low, std::int64_t high, PhiloxStream& random) {
  return low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}

Region whole(ImageSize source) {
  return {0, 0, static_cast<float>(source.width), static_cast<float>(source.height)};
}

// Of `resized` pixels the ones from `begin` to `end`, told in pixels of the source: at least one.
std::pair<float, float> in_source(std::int64_t begin,
                                  std::int64_t end,
                                  std::int32_t source,
                                  std::int32_t resized) {
  double low = static_cast<double>(begin) * source / resized;
  double high = static_cast<double>(end) * source / resized;
  if (high - low < 1) {
    low = std::min(low, source - 1.0);
    high = low + 1;
  }
  return {static_cast<float>(low), static_cast<float>(high)};
}

// A rectangle of the resized image, told in pixels of the source.
Region draw_crop(const DetectionOptions& options, ImageSize source, PhiloxStream& random) {
  const ImageSize resized = size_by_short_side(source, choose(options.crop_short_sides, random), 0);
  const auto side = [&](std::int32_t room) {
    const std::int64_t most = std::min<std::int64_t>(options.crop_max, room);
    return draw(std::min(options.crop_min, most), most, random);
  };
  const std::int64_t width = side(resized.width);
  const std::int64_t height = side(resized.height);
  const std::int64_t y = draw(0, resized.height - height, random);
  const std::int64_t x = draw(0, resized.width - width, random);
  const auto [x0, x1] = in_source(x, x + width, source.width, resized.width);
  const auto [y0, y1] = in_source(y, y + height, source.height, resized.height);
  return {x0, y0, x1, y1};
}

// Rounded, for the shape decides the result's size.
ImageSize shape_of(const Region& region) {
  return {static_cast<std::int32_t>(std::lround(std::max(1.0F, region.y1 - region.y0))),
          static_cast<std::int32_t>(std::lround(std::max(1.0F, region.x1 - region.x0)))};
}

void place_boxes(std::span<const float> boxes, DetectionPlan& plan) {
  const Region& region = plan.region;
  const double width = plan.size.width;
  const double height = plan.size.height;
  const double scale_x = width / (static_cast<double>(region.x1) - region.x0);
  const double scale_y = height / (static_cast<double>(region.y1) - region.y0);
  const auto across = [&](float x) { return std::clamp((x - region.x0) * scale_x, 0.0, width); };
  const auto down = [&](float y) { return std::clamp((y - region.y0) * scale_y, 0.0, height); };
  for (std::size_t i = 0; i + 3 < boxes.size(); i += 4) {
    double x0 = across(boxes[i]);
    double x1 = across(boxes[i + 2]);
    if (plan.flip) {
      const double left = width - x1;
      x1 = width - x0;
      x0 = left;
    }
    const double y0 = down(boxes[i + 1]);
    const double y1 = down(boxes[i + 3]);
    if (!(x1 > x0 && y1 > y0)) continue;
    plan.boxes.push_back({static_cast<float>(x0),
                          static_cast<float>(y0),
                          static_cast<float>(x1),
                          static_cast<float>(y1),
                          static_cast<float>((x1 - x0) * (y1 - y0)),
                          static_cast<std::int64_t>(i / 4)});
  }
}

}  // namespace

ImageSize size_by_short_side(ImageSize source,
                             std::int64_t short_side,
                             std::int64_t max_long_side) {
  const std::int64_t least = std::min(source.height, source.width);
  const std::int64_t most = std::max(source.height, source.width);
  if (max_long_side > 0 && most * short_side > max_long_side * least) {
    short_side = std::max<std::int64_t>(
        1, std::llround(static_cast<double>(max_long_side * least) / static_cast<double>(most)));
  }
  const auto shorter = static_cast<std::int32_t>(short_side);
  std::int64_t long_side = short_side * most / least;
  if (max_long_side > 0) long_side = std::min(long_side, max_long_side);
  const auto longer = static_cast<std::int32_t>(long_side);
  return source.width < source.height ? ImageSize{longer, shorter} : ImageSize{shorter, longer};
}

DetectionPlan plan_detection(const DetectionOptions& options,
                             bool training,
                             std::uint64_t seed,
                             std::int64_t epoch,
                             std::int64_t sample_id,
                             ImageSize source,
                             std::span<const float> boxes) {
  DetectionPlan plan;
  plan.region = whole(source);
  std::int64_t short_side = options.eval_short_side;
  if (training) {
    PhiloxStream random = make_stream(seed, epoch, sample_id);
    plan.flip = random.below(2) == 1 && options.flip;
    const bool crop = random.below(2) == 1 && options.random_crop;
    short_side = choose(options.short_sides, random);
    if (crop) plan.region = draw_crop(options, source, random);
  }
  plan.size = size_by_short_side(shape_of(plan.region), short_side, options.max_long_side);
  place_boxes(boxes, plan);
  return plan;
}

ImageSize padded_size(std::span<const ImageSize> sizes, std::int64_t multiple) {
  ImageSize padded;
  for (const ImageSize& size : sizes) {
    padded.height = std::max(padded.height, size.height);
    padded.width = std::max(padded.width, size.width);
  }
  const auto up = [multiple](std::int32_t side) {
    return static_cast<std::int32_t>((side + multiple - 1) / multiple * multiple);
  };
  return {up(padded.height), up(padded.width)};
}

}  // namespace lockstep::data
