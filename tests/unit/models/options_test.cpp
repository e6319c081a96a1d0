#include "refusal.h"

#include <lockstep/models/options.h>

namespace lockstep::models {
namespace {

void expect_refused(const std::string& part, void (*change)(Options&)) {
  Options options;
  change(options);
  expect_refusal(ExitCode::kConfig, part, [&] { validate(options); });
}

TEST(ModelOptions, DefaultsAreValid) { EXPECT_NO_THROW(validate(Options{})); }

TEST(ModelOptions, ThePatchDividesTheImage) {
  expect_refused("model.patch_size = 15 does not divide model.image_size = 224",
                 [](Options& options) { options.patch_size = 15; });
}

TEST(ModelOptions, HeadsDivideTheWidth) {
  expect_refused("model.heads = 5 does not divide model.dim = 768",
                 [](Options& options) { options.heads = 5; });
}

TEST(ModelOptions, ImagesAreGreyOrColoured) {
  expect_refused("model.in_channels = 2", [](Options& options) { options.in_channels = 2; });
}

TEST(ModelOptions, CountsArePositive) {
  for (std::int64_t Options::*field : {&Options::image_size,
                                       &Options::patch_size,
                                       &Options::num_classes,
                                       &Options::dim,
                                       &Options::depth,
                                       &Options::heads}) {
    Options options;
    options.*field = 0;
    expect_refusal(ExitCode::kConfig, "= 0 is not positive", [&] { validate(options); });
  }
}

TEST(ModelOptions, RatesAreBelowOne) {
  expect_refused("model.dropout = 1", [](Options& options) { options.dropout = 1; });
  expect_refused("model.drop_path = -0.1", [](Options& options) { options.drop_path = -0.1; });
  expect_refused("model.layer_scale", [](Options& options) { options.layer_scale = -1; });
  expect_refused("model.mlp_ratio", [](Options& options) { options.mlp_ratio = 0; });
}

}  // namespace
}  // namespace lockstep::models
