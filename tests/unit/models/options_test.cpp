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
}

TEST(ModelOptions, DefaultsAreValid) { EXPECT_NO_THROW(validate(Options{})); }

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
}

}  // namespace
}  // namespace lockstep::models
