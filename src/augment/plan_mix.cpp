#include "plan_mix.h"

#include "plan_stream.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lockstep::augment {
namespace {

constexpr std::uint64_t kMixTag = 0x6D69787570637574;

double normal(PhiloxStream& random) {
  const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
  return radius * std::cos(2 * std::numbers::pi * random.uniform());
}

// Gamma(shape, 1): Marsaglia and Tsang, "A simple method for generating gamma variables", 2000;
// shapes below one by their section 6, in logarithms, for tiny shapes underflow.
double log_gamma_variate(double shape, PhiloxStream& random) {
  double boost = 0;
  if (shape < 1) {
    boost = std::log(1 - random.uniform()) / shape;
    shape += 1;
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal(random);
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    const double u = 1 - random.uniform();
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return std::log(d * v) + boost;
  }
}

double beta_variate(double alpha, PhiloxStream& random) {
  const double a = log_gamma_variate(alpha, random);
  const double b = log_gamma_variate(alpha, random);
  return 1 / (1 + std::exp(b - a));
}

// A box that covers 1 - lambda of the image where it lies inside, its centre anywhere.
void set_box(double lambda, data::ImageSize size, PhiloxStream& random, SamplePlan& plan) {
  const double side = std::sqrt(1 - lambda);
  const auto along = [&](std::int32_t whole, std::int32_t& begin, std::int32_t& end) {
    const auto length = static_cast<std::int32_t>(whole * side);
    const auto centre = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(whole)));
    begin = std::clamp(centre - length / 2, 0, whole);
    end = std::clamp(centre + length / 2, 0, whole);
  };
  along(size.height, plan.box_y0, plan.box_y1);
  along(size.width, plan.box_x0, plan.box_x1);
  const double area = static_cast<double>(plan.box_y1 - plan.box_y0) *
                      static_cast<double>(plan.box_x1 - plan.box_x0);
  plan.lambda = static_cast<float>(
      1 - area / (static_cast<double>(size.height) * static_cast<double>(size.width)));
}

// What both of a pair get, but for the partner.
SamplePlan plan_pair(const data::AugmentOptions& options,
                     data::ImageSize size,
                     PhiloxStream random) {
  SamplePlan plan;
  if (random.uniform() >= options.mix_probability) return plan;
  const bool cut = options.cutmix_alpha > 0 &&
                   (options.mixup_alpha <= 0 || random.uniform() < options.mix_switch_probability);
  const double lambda = beta_variate(cut ? options.cutmix_alpha : options.mixup_alpha, random);
  plan.lambda = static_cast<float>(lambda);
  if (cut) set_box(lambda, size, random, plan);
  return plan;
}

void copy_mix(const SamplePlan& from, std::size_t partner, SamplePlan& to) {
  if (from.lambda >= 1) return;
  to.partner = static_cast<std::int32_t>(partner);
  to.lambda = from.lambda;
  to.box_x0 = from.box_x0;
  to.box_y0 = from.box_y0;
  to.box_x1 = from.box_x1;
  to.box_y1 = from.box_y1;
}

}  // namespace

void plan_mix(const data::AugmentOptions& options,
              std::uint64_t seed,
              std::int64_t epoch,
              std::span<const std::int64_t> sample_ids,
              data::ImageSize size,
              std::span<SamplePlan> plans) {
  for (std::size_t i = 0; i < plans.size(); ++i) {
    plans[i].partner = static_cast<std::int32_t>(i);
    plans[i].lambda = 1;
  }
  const auto real = static_cast<std::size_t>(
      std::ranges::count_if(sample_ids, [](std::int64_t id) { return id >= 0; }));
  for (std::size_t i = 0; i < real / 2; ++i) {
    const std::size_t j = real - 1 - i;
    const auto [low, high] = std::minmax(sample_ids[i], sample_ids[j]);
    const std::uint64_t key = plan_stream(seed ^ kMixTag, epoch, low).next_u64();
    const SamplePlan pair = plan_pair(options, size, plan_stream(key, epoch, high));
    copy_mix(pair, j, plans[i]);
    copy_mix(pair, i, plans[j]);
  }
}

}  // namespace lockstep::augment
