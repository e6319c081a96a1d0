// How a rank waits for others on shared memory: looks again and again for a while, then naps, so
// that more ranks than cores get on too.
#pragma once

#include <lockstep/base/clock.h>

#include <sched.h>

#include <chrono>
#include <thread>

namespace lockstep::comm {

class Backoff {
 public:
  // `spin`: every rank of this host has a core of its own.
  explicit Backoff(bool spin) : spin_s_(spin ? kSpin_s : kCrowdedSpin_s) {}

  // Between two looks. Returns the seconds since the first.
  double pause() {
    const double waited_s = now_s() - since_s_;  // reading the clock spaces the looks
    if (waited_s < spin_s_) return waited_s;
    if (waited_s < kYield_s) {
      sched_yield();
    } else {
      std::this_thread::sleep_for(kNap);
    }
    return waited_s;
  }

 private:
  static constexpr double kSpin_s = 2e-3;
  static constexpr double kCrowdedSpin_s = 10e-6;
  static constexpr double kYield_s = 200e-6;
  static constexpr std::chrono::microseconds kNap{20};

  double spin_s_;
  double since_s_ = now_s();
};

}  // namespace lockstep::comm
