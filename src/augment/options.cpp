#include <lockstep/augment/options.h>
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <string_view>

namespace lockstep::augment {
namespace {

constexpr std::int64_t kMostOps = 8;

void bind_geometry(OptionTable& table, Options& options) {
  table.add(
      "augment",
      "flip",
      options.flip,
      "Mirror each training image left-right with probability 1/2, drawn from seed, epoch and "
      "sample id. Costs nothing: done while pixels are normalised.");
  table.add(
      "augment",
      "shift_pixels",
      options.shift_pixels,
      "pixels",
      "Move each training image by up to this many pixels along both axes; what comes in from "
      "outside is zero. 0: off. Costs nothing: done while pixels are normalised.");
  table.add("augment",
            "random_crop",
            options.random_crop,
            "Train on a random part of each image, resized to model.image_size (random resized "
            "crop). Off: the largest centred part of the model's shape, as in evaluation. On raw "
            "images the resize is bilinear without antialiasing and joined with the "
            "normalisation: a few times the cost of normalising alone.");
  table.add("augment",
            "crop_area",
            options.crop_area,
            "of the image",
            "Least and most area of the part that augment.random_crop takes.");
  table.add("augment",
            "crop_ratio",
            options.crop_ratio,
            "width / height",
            "Least and most aspect ratio of the part that augment.random_crop takes.");
}

void bind_colour(OptionTable& table, Options& options) {
  table.add("augment",
            "brightness",
            options.brightness,
            "",
            "Colour jitter: brightness is multiplied by a factor from [max(0, 1 - x), 1 + x]. "
            "Brightness, contrast, saturation and hue are changed in random order. 0: off. Costs "
            "a look-up a byte.");
  table.add("augment",
            "contrast",
            options.contrast,
            "",
            "Colour jitter: contrast, as augment.brightness, around the image's mean grey. 0: "
            "off. Costs two passes over the bytes.");
  table.add("augment",
            "saturation",
            options.saturation,
            "",
            "Colour jitter: saturation, as augment.brightness; no effect on grey images. 0: off. "
            "Costs a pass over the bytes.");
  table.add("augment",
            "hue",
            options.hue,
            "turns",
            "Colour jitter: hue is turned by a part of the colour circle from [-x, x], x at most "
            "0.5; no effect on grey images. 0: off. The dearest of the four on a CPU.");
  table.add("augment",
            "randaugment_ops",
            options.randaugment_ops,
            "operations",
            "RandAugment: this many operations an image, drawn with replacement from identity, "
            "shear x and y, translate x and y, rotate, brightness, colour, contrast, sharpness, "
            "posterize, solarize, autocontrast and equalize. 0: off, at most 8. Costs one to two "
            "passes over the bytes each.");
  table.add("augment",
            "randaugment_magnitude",
            options.randaugment_magnitude,
            "of 30",
            "RandAugment: strength of the operations, 0 to 30 (30: rotate by 30 degrees, "
            "brightness by 0.9, posterize to 4 bits).");
}

void bind_erasing(OptionTable& table, Options& options) {
  table.add("augment",
            "erase_probability",
            options.erase_probability,
            "",
            "Random erasing: probability that a rectangle of a training image is blanked after "
            "normalisation. 0: off. Costs nothing to speak of.");
  table.add("augment",
            "erase_area",
            options.erase_area,
            "of the image",
            "Least and most area of the rectangle that random erasing blanks.");
  table.add("augment",
            "erase_ratio",
            options.erase_ratio,
            "height / width",
            "Least and most aspect ratio of the rectangle that random erasing blanks.");
  table.add("augment",
            "erase_fill",
            options.erase_fill,
            "What random erasing leaves: zero, which is the mean of normalised pixels, or normal "
            "noise of unit variance, drawn for each element (dearer on a CPU).",
            {"zero", "noise"});
}

void bind_mixing(OptionTable& table, Options& options) {
  table.add("augment",
            "mixup_alpha",
            options.mixup_alpha,
            "",
            "MixUp: blend each training image with its partner, the first of a micro-batch with "
            "the last and so on, by lambda from Beta(alpha, alpha), and mix the labels alike. "
            "Partners depend on the micro-batch, so results do on ranks and micro-batches too. "
            "0: off. Costs one pass over the pixels and a second cross-entropy.");
  table.add("augment",
            "cutmix_alpha",
            options.cutmix_alpha,
            "",
            "CutMix: paste a rectangle of the partner (see augment.mixup_alpha) instead of "
            "blending; labels are mixed by area. 0: off. Costs less than MixUp.");
  table.add("augment",
            "mix_probability",
            options.mix_probability,
            "",
            "Probability that a pair is mixed at all.");
  table.add("augment",
            "mix_switch_probability",
            options.mix_switch_probability,
            "",
            "Where MixUp and CutMix are both on: probability of CutMix.");
}

// A setting "least, most" inside [low, high].
void check_range(std::string_view name, const std::vector<double>& range, double low, double high) {
  if (range.size() == 2 && range[0] > low && range[0] <= range[1] && range[1] <= high) return;
  throw config_error(format(
      "augment.{} takes two numbers, least and most, above {} and at most {}", name, low, high));
}

void check_between(std::string_view name, double value, double low, double high) {
  if (value >= low && value <= high) return;
  throw config_error(format("augment.{} = {} is not from {} to {}", name, value, low, high));
}

}  // namespace

void bind_options(OptionTable& table, Options& options) {
  bind_geometry(table, options);
  bind_colour(table, options);
  bind_erasing(table, options);
  bind_mixing(table, options);
}

void validate(const Options& options) {
  constexpr double kMostFactor = 10;
  constexpr double kMostAlpha = 100;
  constexpr double kMostRatio = 100;
  if (options.shift_pixels < 0) {
    throw config_error("augment.shift_pixels is negative: write 0 or more pixels");
  }
  check_range("crop_area", options.crop_area, 0, 1);
  check_range("crop_ratio", options.crop_ratio, 0, kMostRatio);
  check_between("brightness", options.brightness, 0, kMostFactor);
  check_between("contrast", options.contrast, 0, kMostFactor);
  check_between("saturation", options.saturation, 0, kMostFactor);
  check_between("hue", options.hue, 0, 0.5);
  check_between("randaugment_ops", static_cast<double>(options.randaugment_ops), 0, kMostOps);
  check_between("randaugment_magnitude", options.randaugment_magnitude, 0, 30);
  check_between("erase_probability", options.erase_probability, 0, 1);
  check_range("erase_area", options.erase_area, 0, 1);
  check_range("erase_ratio", options.erase_ratio, 0, kMostRatio);
  check_between("mixup_alpha", options.mixup_alpha, 0, kMostAlpha);
  check_between("cutmix_alpha", options.cutmix_alpha, 0, kMostAlpha);
  check_between("mix_probability", options.mix_probability, 0, 1);
  check_between("mix_switch_probability", options.mix_switch_probability, 0, 1);
}

}  // namespace lockstep::augment
