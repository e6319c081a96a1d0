#include "train/readback.h"

#include <lockstep/base/error.h>

#include <ATen/ops/full.h>
#include <gtest/gtest.h>

namespace lockstep::train {
namespace {

at::Tensor stats_of(float value) { return at::full({optim::kNumStats}, value); }

class ReadbackTest : public testing::Test {
 protected:
  void push(std::int64_t step, float value) {
    at::Tensor stats = stats_of(value);
    readback_.push(step, stats, {});
    stats.fill_(-1.0F);  // as the update does
    readback_.close({});
  }
  Readback readback_{gpu::host_backend()};
};

TEST_F(ReadbackTest, GivesStepsBackInOrderAsTheyWere) {
  for (std::int64_t round = 0; round < 3; ++round) {
    push(2 * round + 1, 0.5F);
    push(2 * round + 2, 1.5F);
    EXPECT_TRUE(readback_.ended());
    EXPECT_EQ(readback_.pop().step, 2 * round + 1);
    const StepStats second = readback_.pop();
    EXPECT_EQ(second.step, 2 * round + 2);
    EXPECT_EQ(second.values.front(), 1.5F);
    EXPECT_EQ(second.values.back(), 1.5F);
  }
}

TEST_F(ReadbackTest, HoldsAsManyStepsAsItSays) {
  for (std::size_t i = 0; i < Readback::kDepth; ++i) push(static_cast<std::int64_t>(i), 1.0F);
  EXPECT_THROW(readback_.push(99, stats_of(0), {}), Error);
  readback_.pop();
  EXPECT_NO_THROW(readback_.push(99, stats_of(0), {}));
}

TEST_F(ReadbackTest, RefusesToBeReadOutOfTurn) {
  EXPECT_THROW(readback_.pop(), Error);
  EXPECT_THROW(readback_.ended(), Error);
  EXPECT_THROW(readback_.close({}), Error);
  readback_.push(1, stats_of(0), {});
  EXPECT_THROW(readback_.pop(), Error) << "the step was not closed";
  EXPECT_THROW(readback_.push(2, stats_of(0), {}), Error) << "the step before was not closed";
}

}  // namespace
}  // namespace lockstep::train
