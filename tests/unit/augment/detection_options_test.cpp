// Settings of detection images.
#include <lockstep/augment/options.h>
#include <lockstep/base/error.h>

#include <gtest/gtest.h>

namespace lockstep::augment {
namespace {

TEST(DetectionOptions, DefaultsAreTheRecipe) {
  DetectionOptions options;
  OptionTable table;
  bind_options(table, options);
  validate(options);
  EXPECT_EQ(table.find("detection.short_sides")->default_text,
            "480,512,544,576,608,640,672,704,736,768,800");
  EXPECT_EQ(table.find("detection.max_long_side")->default_text, "1333");
  EXPECT_EQ(table.options().size(), 9U);
  for (const Option& option : table.options()) EXPECT_GE(option.help.size(), 40U);
}

TEST(DetectionOptions, RefusesWhatIsOutOfRangeByName) {
  const std::vector<std::pair<std::string, std::string>> refused{{"short_sides", ""},
                                                                 {"short_sides", "480,0"},
                                                                 {"short_sides", "480,1.5"},
                                                                 {"short_sides", "20000"},
                                                                 {"max_long_side", "0"},
                                                                 {"eval_short_side", "-1"},
                                                                 {"pad_multiple", "0"},
                                                                 {"pad_multiple", "2000"},
                                                                 {"crop_short_sides", ""},
                                                                 {"crop_min", "601"},
                                                                 {"crop_min", "0"},
                                                                 {"crop_max", "20000"}};
  for (const auto& [key, value] : refused) {
    DetectionOptions options;
    OptionTable table;
    bind_options(table, options);
    try {
      table.find("detection." + key)->set(value);
      validate(options);
      ADD_FAILURE() << key << " = " << value << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kConfig);
      EXPECT_NE(std::string(error.what()).find("detection." + key), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace lockstep::augment
