#include "plan_erase.h"

#include "plan_stream.h"

#include <cmath>

namespace lockstep::augment {
namespace {

constexpr std::uint64_t kEraseTag = 0x6572617365212121;
constexpr int kTries = 10;

bool try_rectangle(const data::AugmentOptions& options,
                   data::ImageSize size,
                   PhiloxStream& random,
                   SamplePlan& plan) {
  const double area = static_cast<double>(size.height) * static_cast<double>(size.width) *
                      uniform_between(random, options.erase_area[0], options.erase_area[1]);
  const double ratio = std::exp(
      uniform_between(random, std::log(options.erase_ratio[0]), std::log(options.erase_ratio[1])));
  const std::int64_t height = std::llround(std::sqrt(area * ratio));
  const std::int64_t width = std::llround(std::sqrt(area / ratio));
  if (height < 1 || width < 1 || height >= size.height || width >= size.width) return false;
  const auto place = [&random](std::int64_t room) {
    return static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(room + 1)));
  };
  plan.erase_y0 = place(size.height - height);
  plan.erase_x0 = place(size.width - width);
  plan.erase_y1 = plan.erase_y0 + static_cast<std::int32_t>(height);
  plan.erase_x1 = plan.erase_x0 + static_cast<std::int32_t>(width);
  return true;
}

}  // namespace

void plan_erase(const data::AugmentOptions& options,
                std::uint64_t seed,
                std::int64_t epoch,
                std::int64_t sample_id,
                data::ImageSize size,
                SamplePlan& plan) {
  if (options.erase_probability <= 0) return;
  PhiloxStream random = plan_stream(seed ^ kEraseTag, epoch, sample_id);
  if (random.uniform() >= options.erase_probability) return;
  plan.erase_noise = options.erase_fill == "noise" ? 1 : 0;
  plan.erase_key = random.next_u64();
  for (int i = 0; i < kTries; ++i) {
    if (try_rectangle(options, size, random, plan)) return;
  }
}

}  // namespace lockstep::augment
