// Monotonic time in seconds.
#pragma once

#include <chrono>

namespace lockstep {

inline double now_s() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

// Seconds since construction or the last lap().
class Stopwatch {
 public:
  double elapsed_s() const { return now_s() - start_s_; }
  double lap_s() {
    const double now = now_s();
    const double elapsed = now - start_s_;
    start_s_ = now;
    return elapsed;
  }

 private:
  double start_s_ = now_s();
};

}  // namespace lockstep
