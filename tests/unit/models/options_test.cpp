<<<<<<< HEAD
#include "refusal.h"

#include <lockstep/models/options.h>

namespace lockstep::models {
namespace {

void expect_refused(const std::string& part, void (*change)(Options&)) {
  Options options;
  change(options);
  expect_refusal(ExitCode::kConfig, part, [&] { validate(options); });
=======
#include <lockstep/base/error.h>
#include <lockstep/models/options.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace lockstep::models {
namespace {

std::string cause_of(const std::function<void(Options&)>& spoil) {
  Options options;
  spoil(options);
  try {
    validate(options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kConfig);
    return error.what();
  }
  return "accepted";
>>>>>>> main
}

TEST(ModelOptions, DefaultsAreValid) { EXPECT_NO_THROW(validate(Options{})); }

<<<<<<< HEAD
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
=======
TEST(ModelOptions, WrongOnesNameTheKey) {
  using testing::HasSubstr;
  EXPECT_THAT(cause_of([](Options& o) { o.patch_size = 15; }), HasSubstr("model.patch_size = 15"));
  EXPECT_THAT(cause_of([](Options& o) { o.heads = 7; }), HasSubstr("model.heads = 7"));
  EXPECT_THAT(cause_of([](Options& o) { o.in_channels = 2; }), HasSubstr("model.in_channels"));
  EXPECT_THAT(cause_of([](Options& o) { o.depth = 0; }), HasSubstr("model.depth = 0"));
  EXPECT_THAT(cause_of([](Options& o) { o.dim = -4; }), HasSubstr("model.dim = -4"));
  EXPECT_THAT(cause_of([](Options& o) { o.num_classes = 0; }), HasSubstr("model.num_classes"));
  EXPECT_THAT(cause_of([](Options& o) { o.image_size = 0; }), HasSubstr("model.image_size"));
  EXPECT_THAT(cause_of([](Options& o) { o.dropout = 1; }), HasSubstr("model.dropout"));
  EXPECT_THAT(cause_of([](Options& o) { o.drop_path = -0.1; }), HasSubstr("model.drop_path"));
  EXPECT_THAT(cause_of([](Options& o) { o.layer_scale = -1; }), HasSubstr("model.layer_scale"));
  EXPECT_THAT(cause_of([](Options& o) { o.mlp_ratio = 0; }), HasSubstr("model.mlp_ratio"));
  EXPECT_THAT(cause_of([](Options& o) { o.pool = "max"; }), HasSubstr("model.pool = max"));
}

TEST(ModelOptions, BindsEveryField) {
  OptionTable table;
  Options options;
  bind_options(table, options);
  EXPECT_EQ(table.options().size(), 13U);
>>>>>>> main
}

}  // namespace
}  // namespace lockstep::models
