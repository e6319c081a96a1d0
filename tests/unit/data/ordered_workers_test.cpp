// Results come in order, whatever the threads do, and never more than the window waits.
#include "ordered_workers.h"

#include "data_fixture.h"

#include <atomic>
#include <chrono>

namespace lockstep::data {
namespace {

struct Number {
  std::int64_t value = 0;
  std::size_t bytes = 0;
  std::size_t held_bytes() const { return bytes; }
};

constexpr std::size_t kNoBudget = 1000;

TEST(OrderedWorkers, ResultsComeInOrder) {
  OrderedWorkers<Number> workers(500, 4, 7, kNoBudget, [](std::int64_t item) {
    if (item % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    return Number{item * item, 0};
  });
  for (std::int64_t i = 0; i < 500; ++i) EXPECT_EQ(workers.next().value().value, i * i);
  EXPECT_FALSE(workers.next().has_value());
  EXPECT_FALSE(workers.next().has_value());
}

TEST(OrderedWorkers, NoItems) {
  OrderedWorkers<Number> workers(0, 2, 3, kNoBudget, [](std::int64_t) { return Number(); });
  EXPECT_FALSE(workers.next().has_value());
}

TEST(OrderedWorkers, AnErrorComesInItsPlace) {
  OrderedWorkers<Number> workers(10, 3, 5, kNoBudget, [](std::int64_t item) {
    if (item == 4) throw data_error("item 4");
    return Number{item, 0};
  });
  for (std::int64_t i = 0; i < 4; ++i) EXPECT_EQ(workers.next().value().value, i);
  expect_error(ExitCode::kBadData, {"item 4"}, [&] { workers.next(); });
  EXPECT_EQ(workers.next().value().value, 5);
}

TEST(OrderedWorkers, NoMoreThanTheWindowIsAhead) {
  std::atomic<std::int64_t> started{0};
  OrderedWorkers<Number> workers(100, 4, 6, kNoBudget, [&](std::int64_t item) {
    ++started;
    return Number{item, 0};
  });
  for (std::int64_t i = 0; i < 20; ++i) {
    workers.next();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_LE(started, i + 1 + 6);
  }
}

TEST(OrderedWorkers, LargeResultsNarrowTheWindow) {
  std::atomic<std::int64_t> started{0};
  OrderedWorkers<Number> workers(30, 1, 20, 100, [&](std::int64_t item) {
    ++started;
    return Number{item, 60};
  });
  for (std::int64_t i = 0; i < 30; ++i) {
    EXPECT_EQ(workers.next().value().value, i);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_LE(started, i + 1 + 2);
  }
}

TEST(OrderedWorkers, CanBeLeftEarly) {
  OrderedWorkers<Number> workers(1'000'000, 4, 8, kNoBudget, [](std::int64_t item) {
    return Number{item, 0};
  });
  workers.next();
}

}  // namespace
}  // namespace lockstep::data
