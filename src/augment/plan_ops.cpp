#include "plan_ops.h"

#include "plan_stream.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

namespace lockstep::augment {
namespace {

constexpr std::uint64_t kRandAugmentTag = 0x72616E6461756721;
constexpr std::uint64_t kJitterTag = 0x636F6C6F72216A69;

constexpr double kMostMagnitude = 30;
constexpr double kMostShear = 0.3;
constexpr double kMostTranslation = 150.0 / 331.0;  // of the image's side
constexpr double kMostRotation = 30;                // degrees
constexpr double kMostBlend = 0.9;
constexpr double kMostPosterized = 4;  // bits

PixelOp make_blend(PixelOpKind kind, double factor) {
  PixelOp op;
  op.kind = kind;
  op.value = static_cast<float>(factor);
  return op;
}

// Counter-clockwise about the centre.
PixelOp make_rotation(double degrees, data::ImageSize size) {
  const double angle = -degrees * std::numbers::pi / 180;
  const double cosine = std::cos(angle);
  const double sine = std::sin(angle);
  const double x = size.width / 2.0;
  const double y = size.height / 2.0;
  return make_affine(
      {cosine, sine, x - cosine * x - sine * y, -sine, cosine, y + sine * x - cosine * y});
}

PixelOp make_translation(double x, double y) {
  return make_affine({1, 0, -std::trunc(x), 0, 1, -std::trunc(y)});
}

enum class Choice : std::uint32_t {
  kIdentity,
  kShearX,
  kShearY,
  kTranslateX,
  kTranslateY,
  kRotate,
  kBrightness,
  kColour,
  kContrast,
  kSharpness,
  kPosterize,
  kSolarize,
  kAutocontrast,
  kEqualize,
  kCount
};

// In the floats of torchvision's table of magnitudes: where a byte is cut hangs on the last bit.
double blend_strength(double strength) {
  const auto magnitude = static_cast<float>(strength * kMostMagnitude);
  constexpr auto kMost = static_cast<float>(kMostMagnitude);
  constexpr auto kEnd = static_cast<float>(kMostBlend);
  constexpr float kStep = kEnd / kMost;
  return magnitude < (kMost + 1) / 2 ? kStep * magnitude : kEnd - kStep * (kMost - magnitude);
}

// `strength` 0 to 1; `sign` 1 or -1, for the operations that have two directions.
PixelOp make_choice(Choice choice, double strength, double sign, data::ImageSize size) {
  const double both = strength * sign;
  const double blend = sign * blend_strength(strength);
  switch (choice) {
    case Choice::kShearX:
      return make_affine({1, kMostShear * both, 0, 0, 1, 0});
    case Choice::kShearY:
      return make_affine({1, 0, 0, kMostShear * both, 1, 0});
    case Choice::kTranslateX:
      return make_translation(kMostTranslation * size.width * both, 0);
    case Choice::kTranslateY:
      return make_translation(0, kMostTranslation * size.height * both);
    case Choice::kRotate:
      return make_rotation(kMostRotation * both, size);
    case Choice::kBrightness:
      return make_blend(PixelOpKind::kBrightness, 1 + blend);
    case Choice::kColour:
      return make_blend(PixelOpKind::kSaturation, 1 + blend);
    case Choice::kContrast:
      return make_blend(PixelOpKind::kContrast, 1 + blend);
    case Choice::kSharpness:
      return make_blend(PixelOpKind::kSharpness, 1 + blend);
    case Choice::kPosterize:
      return make_blend(PixelOpKind::kPosterize, 8 - std::nearbyint(kMostPosterized * strength));
    case Choice::kSolarize:
      return make_blend(PixelOpKind::kSolarize, 255 * (1 - strength));
    case Choice::kAutocontrast:
      return make_blend(PixelOpKind::kAutocontrast, 0);
    case Choice::kEqualize:
      return make_blend(PixelOpKind::kEqualize, 0);
    case Choice::kIdentity:
    case Choice::kCount:
      break;
  }
  return {};
}

struct Jitter {
  PixelOpKind kind;
  double strength;
};

std::array<Jitter, 4> jitters(const data::AugmentOptions& options) {
  return {{{PixelOpKind::kBrightness, options.brightness},
           {PixelOpKind::kContrast, options.contrast},
           {PixelOpKind::kSaturation, options.saturation},
           {PixelOpKind::kHue, options.hue}}};
}

void plan_jitter(const data::AugmentOptions& options, PhiloxStream random, PixelOp* ops) {
  std::array<Jitter, 4> order = jitters(options);
  for (std::size_t i = order.size() - 1; i > 0; --i) {
    std::swap(order[i], order[random.below(i + 1)]);
  }
  for (const Jitter& jitter : order) {
    if (jitter.strength == 0) continue;
    const bool hue = jitter.kind == PixelOpKind::kHue;
    const double low = hue ? -jitter.strength : std::max(0.0, 1 - jitter.strength);
    const double high = hue ? jitter.strength : 1 + jitter.strength;
    *ops++ = make_blend(jitter.kind, uniform_between(random, low, high));
  }
}

}  // namespace

PixelOp make_affine(const double (&matrix)[6]) {
  constexpr double kUnit = 65536;
  const auto fixed = [](double value) {
    return static_cast<std::int32_t>(std::floor(value * kUnit + 0.5));
  };
  PixelOp op;
  op.kind = PixelOpKind::kAffine;
  for (int row = 0; row < 6; row += 3) {
    op.matrix[row] = fixed(matrix[row]);
    op.matrix[row + 1] = fixed(matrix[row + 1]);
    // Pixels are met at their centres.
    op.matrix[row + 2] = fixed(matrix[row + 2] + matrix[row] * 0.5 + matrix[row + 1] * 0.5);
  }
  return op;
}

std::int64_t num_ops(const data::AugmentOptions& options) {
  return options.randaugment_ops +
         std::ranges::count_if(jitters(options),
                               [](const Jitter& jitter) { return jitter.strength != 0; });
}

void plan_ops(const data::AugmentOptions& options,
              std::uint64_t seed,
              std::int64_t epoch,
              std::int64_t sample_id,
              data::ImageSize size,
              std::span<PixelOp> ops) {
  PhiloxStream random = plan_stream(seed ^ kRandAugmentTag, epoch, sample_id);
  const double strength = options.randaugment_magnitude / kMostMagnitude;
  for (std::int64_t i = 0; i < options.randaugment_ops; ++i) {
    const auto choice =
        static_cast<Choice>(random.below(static_cast<std::uint64_t>(Choice::kCount)));
    const double sign = random.below(2) == 0 ? 1 : -1;
    ops[static_cast<std::size_t>(i)] = make_choice(choice, strength, sign, size);
  }
  plan_jitter(options,
              plan_stream(seed ^ kJitterTag, epoch, sample_id),
              ops.data() + options.randaugment_ops);
}

}  // namespace lockstep::augment
