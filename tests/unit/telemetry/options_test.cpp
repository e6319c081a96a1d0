#include <lockstep/base/error.h>
#include <lockstep/telemetry/options.h>

#include <gtest/gtest.h>

namespace lockstep::telemetry {
namespace {

TEST(Options, AreBoundUnderTheirSection) {
  Options options;
  OptionTable table;
  bind_options(table, options);
  const Option* option = table.find("telemetry.log_every");
  ASSERT_NE(option, nullptr);
  option->set("3");
  EXPECT_EQ(options.log_every, 3);
}

TEST(Options, AnIntervalBelowOneIsRefused) {
  Options options;
  EXPECT_NO_THROW(validate(options));
  options.log_every = 0;
  EXPECT_THROW(validate(options), Error);
}

}  // namespace
}  // namespace lockstep::telemetry
