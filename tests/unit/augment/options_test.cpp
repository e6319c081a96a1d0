// Settings of augment.
#include <lockstep/augment/options.h>
#include <lockstep/base/error.h>

#include <gtest/gtest.h>

namespace lockstep::augment {
namespace {

TEST(AugmentOptions, RefusesANegativeShiftByName) {
  Options options;
  OptionTable table;
  bind_options(table, options);
  table.find("augment.shift_pixels")->set("-1");
  try {
    validate(options);
    FAIL() << "a negative shift was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kConfig);
    EXPECT_NE(std::string(error.what()).find("augment.shift_pixels"), std::string::npos);
  }
}

TEST(AugmentOptions, IsOffByDefault) {
  const Options options;
  validate(options);
  EXPECT_FALSE(options.flip);
  EXPECT_EQ(options.shift_pixels, 0);
}

}  // namespace
}  // namespace lockstep::augment
