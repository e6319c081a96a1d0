#include <lockstep/base/random.h>
#include <lockstep/data/transform_plan.h>

namespace lockstep::data {
namespace {

// Keeps these draws apart from every other use of (seed, epoch).
constexpr std::uint64_t kStreamTag = 0x7472616E73666F72;

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

void plan_transforms(const AugmentOptions& options,
                     std::uint64_t seed,
                     std::int64_t epoch,
                     std::span<const std::int64_t> sample_ids,
                     std::vector<TransformPlan>& plans) {
  plans.clear();
  for (const std::int64_t id : sample_ids) {
    plans.push_back(id < 0 ? TransformPlan{} : plan_transform(options, seed, epoch, id));
  }
}

}  // namespace lockstep::data
