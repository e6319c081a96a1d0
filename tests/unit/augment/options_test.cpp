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
  EXPECT_FALSE(options.random_crop);
  EXPECT_EQ(options.brightness + options.contrast + options.saturation + options.hue, 0);
  EXPECT_EQ(options.randaugment_ops, 0);
  EXPECT_EQ(options.erase_probability, 0);
  EXPECT_FALSE(options.mixes());
}

TEST(AugmentOptions, RefusesWhatIsOutOfRangeByName) {
  const std::vector<std::pair<std::string, std::string>> refused{
      {"crop_area", "0,0.5"},
      {"crop_area", "0.5,0.2"},
      {"crop_area", "0.5"},
      {"crop_area", "0.5,1.5"},
      {"crop_ratio", "-1,1"},
      {"brightness", "-0.1"},
      {"hue", "0.6"},
      {"randaugment_ops", "9"},
      {"randaugment_magnitude", "31"},
      {"erase_probability", "1.5"},
      {"erase_area", "0.1,1.1"},
      {"erase_ratio", "0,1"},
      {"mixup_alpha", "-1"},
      {"cutmix_alpha", "nan"},
      {"mix_probability", "2"},
      {"mix_switch_probability", "-0.5"}};
  for (const auto& [key, value] : refused) {
    Options options;
    OptionTable table;
    bind_options(table, options);
    try {
      table.find("augment." + key)->set(value);
      validate(options);
      ADD_FAILURE() << key << " = " << value << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kConfig);
      EXPECT_NE(std::string(error.what()).find("augment." + key), std::string::npos);
    }
  }
}

TEST(AugmentOptions, EverySettingSaysWhatItCosts) {
  Options options;
  OptionTable table;
  bind_options(table, options);
  EXPECT_GE(table.options().size(), 19U);
  for (const Option& option : table.options()) EXPECT_GE(option.help.size(), 40U);
}

}  // namespace
}  // namespace lockstep::augment
