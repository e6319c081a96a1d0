// The settings of detection images: the recipe of DETR where nothing is given.
#include <lockstep/augment/options.h>
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <string_view>

namespace lockstep::augment {
namespace {

constexpr const char* kSection = "detection";
constexpr std::int64_t kMostSide = 16384;
constexpr std::int64_t kMostMultiple = 1024;

void bind_crop(OptionTable& table, DetectionOptions& options) {
  table.add(kSection,
            "random_crop",
            options.random_crop,
            "Cut a random part out of a training image with probability 1/2, before it is resized. "
            "Boxes are clipped to it, and those that nothing is left of are dropped.");
  table.add(kSection,
            "crop_short_sides",
            options.crop_short_sides,
            "pixels",
            "Shorter sides, one of them drawn for each image, by which detection.crop_min and "
            "detection.crop_max are to be understood.");
  table.add(kSection,
            "crop_min",
            options.crop_min,
            "pixels",
            "Least width and height of the part that detection.random_crop takes.");
  table.add(kSection,
            "crop_max",
            options.crop_max,
            "pixels",
            "Most width and height of the part that detection.random_crop takes.");
}

void check_side(std::string_view name, std::int64_t value) {
  if (value >= 1 && value <= kMostSide) return;
  throw config_error(
      format("detection.{} = {} is not between 1 and {} pixels", name, value, kMostSide));
}

void check_sides(std::string_view name, const std::vector<std::int64_t>& values) {
  if (values.empty()) {
    throw config_error(format("detection.{} is empty: name at least one side", name));
  }
  for (const std::int64_t value : values) check_side(name, value);
}

}  // namespace

void bind_options(OptionTable& table, DetectionOptions& options) {
  table.add(kSection,
            "short_sides",
            options.short_sides,
            "pixels",
            "Sizes of training images with boxes: one of these is drawn for the shorter side of "
            "each. Memory and time of a step grow with the square of the largest.");
  table.add(kSection,
            "max_long_side",
            options.max_long_side,
            "pixels",
            "Most of the longer side of an image with boxes, in training and evaluation; the "
            "shorter one becomes smaller for it.");
  table.add(kSection,
            "eval_short_side",
            options.eval_short_side,
            "pixels",
            "Shorter side of an image with boxes in evaluation.");
  table.add(kSection,
            "pad_multiple",
            options.pad_multiple,
            "pixels",
            "The images of a step are padded to the smallest size that holds them all, sides "
            "rounded up to multiples of this, on all ranks alike. Larger: fewer different shapes, "
            "more padding to compute.");
  table.add(kSection,
            "flip",
            options.flip,
            "Mirror each training image with its boxes left-right with probability 1/2, drawn from "
            "seed, epoch and sample id. Costs nothing.");
  bind_crop(table, options);
}

void validate(const DetectionOptions& options) {
  check_sides("short_sides", options.short_sides);
  check_side("max_long_side", options.max_long_side);
  check_side("eval_short_side", options.eval_short_side);
  check_sides("crop_short_sides", options.crop_short_sides);
  check_side("crop_min", options.crop_min);
  check_side("crop_max", options.crop_max);
  if (options.crop_min > options.crop_max) {
    throw config_error(format("detection.crop_min = {} is above detection.crop_max = {}",
                              options.crop_min,
                              options.crop_max));
  }
  if (options.pad_multiple < 1 || options.pad_multiple > kMostMultiple) {
    throw config_error(format("detection.pad_multiple = {} is not between 1 and {} pixels",
                              options.pad_multiple,
                              kMostMultiple));
  }
}

}  // namespace lockstep::augment
