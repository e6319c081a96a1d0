#include <lockstep/base/error.h>
#include <lockstep/train/memory_options.h>

#include <gtest/gtest.h>

namespace lockstep::train {
namespace {

TEST(MemoryOptions, AreCheckedAgainstTheModel) {
  MemoryOptions options;
  EXPECT_NO_THROW(validate(options, 1));
  options.recompute = "every:2";
  EXPECT_NO_THROW(validate(options, 3));
  EXPECT_THROW(validate(options, 2), Error);
  options.recompute = "some";
  EXPECT_THROW(validate(options, 3), Error);
  options.recompute = kBudget;
  EXPECT_THROW(validate(options, 3), Error) << "a budget of what?";
  options.limit_mib = 100;
  EXPECT_NO_THROW(validate(options, 3));
  options.limit_mib = -1;
  EXPECT_THROW(validate(options, 3), Error);
}

}  // namespace
}  // namespace lockstep::train
