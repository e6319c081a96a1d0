#include <lockstep/augment/options.h>
#include <lockstep/base/error.h>

namespace lockstep::augment {

void bind_options(OptionTable& table, Options& options) {
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
}

void validate(const Options& options) {
  if (options.shift_pixels < 0) {
    throw config_error("augment.shift_pixels is negative: write 0 or more pixels");
  }
}

}  // namespace lockstep::augment
