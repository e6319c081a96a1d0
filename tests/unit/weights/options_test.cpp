#include <lockstep/weights/options.h>

#include <gtest/gtest.h>

namespace lockstep::weights {
namespace {

TEST(WeightsOptions, DefaultsAndKeys) {
  OptionTable table;
  Options options;
  bind_options(table, options);
  ASSERT_NE(table.find("weights.init"), nullptr);
  ASSERT_NE(table.find("weights.strict"), nullptr);
  ASSERT_NE(table.find("weights.head"), nullptr);
  EXPECT_TRUE(options.strict);
  EXPECT_EQ(options.head, "keep");
  EXPECT_NO_THROW(validate(options));
}

}  // namespace
}  // namespace lockstep::weights
