// What is done to each sample's pixels: a pure host function of (seed, epoch, sample id), so that
// the result does not depend on threads, ranks or resume.
#pragma once

#include <lockstep/data/image.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::data {

struct AugmentOptions {
  bool flip = false;              // mirror left-right with probability 1/2
  std::int64_t shift_pixels = 0;  // move by up to this many pixels, edges filled with zeros
  bool random_crop = false;       // a random part of the image, resized to the model's size
  std::vector<double> crop_area{0.08, 1.0};         // least and most of the image's area
  std::vector<double> crop_ratio{0.75, 4.0 / 3.0};  // least and most width to height
  // Colour: factors from [max(0, 1 - x), 1 + x]; hue: a turn from [-x, x], in random order.
  double brightness = 0;
  double contrast = 0;
  double saturation = 0;
  double hue = 0;
  // RandAugment: this many operations of this magnitude (of 30).
  std::int64_t randaugment_ops = 0;
  double randaugment_magnitude = 9;
  // Random erasing: one rectangle.
  double erase_probability = 0;
  std::vector<double> erase_area{0.02, 1.0 / 3.0};  // of the image's area
  std::vector<double> erase_ratio{0.3, 10.0 / 3.0};
  std::string erase_fill = "zero";  // or noise
  // MixUp and CutMix: lambda from Beta(alpha, alpha); both given: CutMix with the switch
  // probability.
  double mixup_alpha = 0;
  double cutmix_alpha = 0;
  double mix_probability = 1;
  double mix_switch_probability = 0.5;

  bool mixes() const { return mixup_alpha > 0 || cutmix_alpha > 0; }
};

// One sample's plan. Pixel (y, x) of the result is pixel (y + dy, flip ? W-1-(x + dx) : x + dx) of
// the source, zero outside.
struct TransformPlan {
  std::int32_t dx = 0;
  std::int32_t dy = 0;
  bool flip = false;
};

TransformPlan plan_transform(const AugmentOptions& options,
                             std::uint64_t seed,
                             std::int64_t epoch,
                             std::int64_t sample_id);

// Where the pixels of a result come from: `region` of the source (inside it, not empty; whole
// pixels in what plan_geometry makes), resized to `size`, then mirrored when `flip` is set.
struct Geometry {
  Region region;
  ImageSize size;
  bool flip = false;

  bool operator==(const Geometry&) const = default;
};

// Training with `random_crop`: a region of random area and aspect ratio at a random place (ten
// tries, then the largest centred one whose ratio is allowed), as in Szegedy et al., "Going Deeper
// with Convolutions", section 6. Otherwise: the largest centred region of the target's shape, as
// if the shorter side were resized to the target's and the centre cut out. `flip` is that of
// plan_transform, and never set outside training or for padding (sample_id < 0).
// Requires: all sides are positive.
Geometry plan_geometry(const AugmentOptions& options,
                       bool training,
                       std::uint64_t seed,
                       std::int64_t epoch,
                       std::int64_t sample_id,
                       ImageSize source,
                       ImageSize target);

}  // namespace lockstep::data
