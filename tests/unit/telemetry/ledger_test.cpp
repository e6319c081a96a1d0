#include <lockstep/base/clock.h>
#include <lockstep/telemetry/ledger.h>

#include <gtest/gtest.h>

#include <numeric>

namespace lockstep::telemetry {
namespace {

// Moments are sums of powers of two, so that every difference is exact.
using Seconds = std::array<double, kNumBins>;

double in(const Seconds& seconds, Bin bin) { return seconds[static_cast<std::size_t>(bin)]; }
double sum(const Seconds& seconds) { return std::accumulate(seconds.begin(), seconds.end(), 0.0); }

void spin_s(double duration_s) {
  const Stopwatch watch;
  while (watch.elapsed_s() < duration_s) {
  }
}

TEST(BinName, IsTheKeyOfTheRecord) {
  EXPECT_EQ(bin_name(Bin::kDataWait), "data_wait");
  EXPECT_EQ(bin_name(Bin::kHostToDevice), "host_to_device");
  EXPECT_EQ(bin_name(Bin::kForward), "forward");
  EXPECT_EQ(bin_name(Bin::kBackward), "backward");
  EXPECT_EQ(bin_name(Bin::kCommExposed), "comm_exposed");
  EXPECT_EQ(bin_name(Bin::kOptimizer), "optimizer");
  EXPECT_EQ(bin_name(Bin::kSnapshot), "snapshot");
  EXPECT_EQ(bin_name(Bin::kEval), "eval");
  EXPECT_EQ(bin_name(Bin::kOther), "other");
}

TEST(Ledger, BooksEveryIntervalToTheBinInForce) {
  Ledger ledger(100.0);
  EXPECT_EQ(ledger.enter_at(Bin::kDataWait, 100.5), Bin::kOther);
  EXPECT_EQ(ledger.enter_at(Bin::kForward, 100.75), Bin::kDataWait);
  EXPECT_EQ(ledger.enter_at(Bin::kBackward, 102.75), Bin::kForward);
  EXPECT_EQ(ledger.enter_at(Bin::kOther, 106.75), Bin::kBackward);
  const Seconds seconds = ledger.take_at(107.0);
  EXPECT_EQ(in(seconds, Bin::kOther), 0.75);
  EXPECT_EQ(in(seconds, Bin::kDataWait), 0.25);
  EXPECT_EQ(in(seconds, Bin::kForward), 2.0);
  EXPECT_EQ(in(seconds, Bin::kBackward), 4.0);
  EXPECT_EQ(sum(seconds), 7.0);
}

TEST(Ledger, ABinThatIsLeftAndEnteredAgainAddsUp) {
  Ledger ledger(0.0);
  for (int micro_step = 0; micro_step < 3; ++micro_step) {
    ledger.enter_at(Bin::kForward, micro_step);
    ledger.enter_at(Bin::kBackward, micro_step + 0.25);
  }
  const Seconds seconds = ledger.take_at(3.0);
  EXPECT_EQ(in(seconds, Bin::kForward), 0.75);
  EXPECT_EQ(in(seconds, Bin::kBackward), 2.25);
}

TEST(Ledger, AClosedStepHoldsItsBinsAndItsWallTime) {
  Ledger ledger;
  {
    const Span span(ledger, Bin::kForward);
    spin_s(0.002);
  }
  ledger.close_step();
  const StepTimes first = ledger.read_step();
  EXPECT_GE(in(first.seconds, Bin::kForward), 0.002);
  EXPECT_NEAR(sum(first.seconds), first.wall_s, 1e-3);
  ledger.close_step();
  EXPECT_LT(ledger.read_step().wall_s, first.wall_s);
}

TEST(Ledger, TakeStartsTheNextStepInTheSameBin) {
  Ledger ledger(0.0);
  ledger.enter_at(Bin::kDataWait, 1.0);
  EXPECT_EQ(in(ledger.take_at(3.0), Bin::kDataWait), 2.0);
  const Seconds next = ledger.take_at(3.5);
  EXPECT_EQ(in(next, Bin::kDataWait), 0.5);
  EXPECT_EQ(in(next, Bin::kOther), 0.0);
  EXPECT_EQ(sum(next), 0.5);
}

TEST(Ledger, EnteringTheSameBinLosesNothing) {
  Ledger ledger(0.0);
  ledger.enter_at(Bin::kForward, 0.0);
  EXPECT_EQ(ledger.enter_at(Bin::kForward, 1.0), Bin::kForward);
  EXPECT_EQ(in(ledger.take_at(2.0), Bin::kForward), 2.0);
}

TEST(Span, NestsAndBooksTimeOnce) {
  Ledger ledger;
  ledger.take();
  const Stopwatch watch;
  {
    const Span outer(ledger, Bin::kBackward);
    spin_s(2e-3);
    {
      const Span inner(ledger, Bin::kCommExposed);
      spin_s(4e-3);
    }
    spin_s(2e-3);
  }
  const Seconds seconds = ledger.take();
  const double wall_s = watch.elapsed_s();
  EXPECT_GE(in(seconds, Bin::kBackward), 4e-3);
  EXPECT_GE(in(seconds, Bin::kCommExposed), 4e-3);
  EXPECT_LE(in(seconds, Bin::kBackward), wall_s - 4e-3);
  EXPECT_NEAR(sum(seconds), wall_s, 0.01 * wall_s + 1e-4);
  EXPECT_EQ(in(seconds, Bin::kForward), 0.0);
}

TEST(Span, ReturnsToTheBinBeforeWhenAnExceptionPasses) {
  Ledger ledger;
  ledger.enter(Bin::kForward);
  try {
    const Span span(ledger, Bin::kEval);
    throw 1;
  } catch (int) {
  }
  EXPECT_EQ(ledger.enter(Bin::kOther), Bin::kForward);
}

}  // namespace
}  // namespace lockstep::telemetry
