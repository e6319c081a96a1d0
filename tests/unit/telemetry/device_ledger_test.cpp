#include "fake_backend.h"

#include <lockstep/base/error.h>
#include <lockstep/telemetry/device_ledger.h>

#include <gtest/gtest.h>

#include <numeric>

namespace lockstep::telemetry {
namespace {

double of(const StepTimes& times, Bin bin) { return times.seconds[static_cast<std::size_t>(bin)]; }

// The device does `ms` of work in `bin`, then the ledger is back where it was.
void spend(FakeBackend& backend, Ledger& ledger, Bin bin, double ms) {
  const Span span(ledger, bin);
  backend.device_ms += ms;
}

TEST(DeviceLedger, BooksTheDevicesTimeToTheBinThatItsWorkWasPutInto) {
  FakeBackend backend;
  DeviceLedger ledger(backend);
  spend(backend, ledger, Bin::kForward, 3);
  spend(backend, ledger, Bin::kBackward, 6);
  backend.device_ms += 1;  // between spans
  spend(backend, ledger, Bin::kForward, 2);
  ledger.close_step();
  const StepTimes times = ledger.read_step();
  EXPECT_DOUBLE_EQ(of(times, Bin::kForward), 5e-3);
  EXPECT_DOUBLE_EQ(of(times, Bin::kBackward), 6e-3);
  EXPECT_DOUBLE_EQ(of(times, Bin::kOther), 1e-3);
  EXPECT_DOUBLE_EQ(times.wall_s, 12e-3);
}

TEST(DeviceLedger, SpansNest) {
  FakeBackend backend;
  DeviceLedger ledger(backend);
  {
    const Span outer(ledger, Bin::kCommExposed);
    backend.device_ms += 2;
    spend(backend, ledger, Bin::kOptimizer, 5);
    backend.device_ms += 1;
  }
  ledger.close_step();
  const StepTimes times = ledger.read_step();
  EXPECT_DOUBLE_EQ(of(times, Bin::kCommExposed), 3e-3);
  EXPECT_DOUBLE_EQ(of(times, Bin::kOptimizer), 5e-3);
}

TEST(DeviceLedger, StepsAreReadInOrderAndLateAndEachCloses) {
  FakeBackend backend;
  DeviceLedger ledger(backend);
  for (const double ms : {1.0, 2.0, 4.0}) {
    spend(backend, ledger, Bin::kForward, ms);
    backend.device_ms += 0.5;
    ledger.close_step();
  }
  for (const double ms : {1.0, 2.0, 4.0}) {
    const StepTimes times = ledger.read_step();
    EXPECT_DOUBLE_EQ(of(times, Bin::kForward), ms / 1e3);
    const double sum = std::accumulate(times.seconds.begin(), times.seconds.end(), 0.0);
    EXPECT_DOUBLE_EQ(sum, times.wall_s);
  }
  EXPECT_THROW(ledger.read_step(), Error);
}

TEST(DeviceLedger, ABinThatIsOpenAtTheEndOfAStepGoesOnInTheNext) {
  FakeBackend backend;
  DeviceLedger ledger(backend);
  const Span span(ledger, Bin::kEval);
  backend.device_ms += 3;
  ledger.close_step();
  backend.device_ms += 4;
  ledger.close_step();
  EXPECT_DOUBLE_EQ(of(ledger.read_step(), Bin::kEval), 3e-3);
  EXPECT_DOUBLE_EQ(of(ledger.read_step(), Bin::kEval), 4e-3);
}

TEST(MakeLedger, TakesTheDevicesClockOnADeviceOnly) {
  FakeBackend backend;
  EXPECT_NE(dynamic_cast<DeviceLedger*>(make_ledger(backend).get()), nullptr);
  EXPECT_EQ(dynamic_cast<DeviceLedger*>(make_ledger(gpu::host_backend()).get()), nullptr);
}

}  // namespace
}  // namespace lockstep::telemetry
