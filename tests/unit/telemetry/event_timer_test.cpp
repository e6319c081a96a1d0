#include "fake_backend.h"

#include <lockstep/base/error.h>
#include <lockstep/telemetry/event_timer.h>

#include <gtest/gtest.h>

namespace lockstep::telemetry {
namespace {

TEST(EventTimer, DeliversSpansInOrderOnceTheDeviceHasReachedThem) {
  FakeBackend backend;
  EventTimer timer(backend, 4);
  for (const double length_ms : {2.0, 5.0}) {
    timer.start({});
    backend.device_ms += length_ms;
    timer.stop({});
  }
  EXPECT_FALSE(timer.poll_s()) << "nothing may be waited for";
  backend.reached_ms = 2.0;
  EXPECT_DOUBLE_EQ(timer.poll_s().value(), 2e-3);
  EXPECT_FALSE(timer.poll_s());
  backend.reached_ms = 100;
  EXPECT_DOUBLE_EQ(timer.poll_s().value(), 5e-3);
  EXPECT_FALSE(timer.poll_s());
  EXPECT_EQ(backend.num_synchronised, 0);
}

TEST(EventTimer, ASpanThatFindsNoRoomIsCountedNotWaitedFor) {
  FakeBackend backend;
  EventTimer timer(backend, 2);
  for (int span = 0; span < 5; ++span) {
    timer.start({});
    backend.device_ms += 1;
    timer.stop({});
  }
  EXPECT_EQ(timer.num_skipped(), 3);
  backend.reached_ms = 100;
  EXPECT_TRUE(timer.poll_s());
  EXPECT_TRUE(timer.poll_s());
  EXPECT_FALSE(timer.poll_s());
  timer.start({});
  backend.device_ms += 3;
  timer.stop({});
  EXPECT_DOUBLE_EQ(timer.poll_s().value(), 3e-3);
}

TEST(EventTimer, AnOpenSpanIsNotDelivered) {
  FakeBackend backend;
  backend.reached_ms = 100;
  EventTimer timer(backend, 2);
  timer.start({});
  EXPECT_FALSE(timer.poll_s());
  EXPECT_THROW(timer.start({}), Error);
  timer.stop({});
  EXPECT_TRUE(timer.poll_s());
  EXPECT_THROW(timer.stop({}), Error);
}

}  // namespace
}  // namespace lockstep::telemetry
