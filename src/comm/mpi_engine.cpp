#include "mpi_engine.h"

#include "thread_latency.h"

#include <lockstep/base/clock.h>
#include <lockstep/base/threads.h>

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace lockstep::comm {
namespace {

// While the rank computes, a look at MPI every 40 us costs it about 3 % of a core.
constexpr std::chrono::duration<double> kNap{40e-6};
// A waiting rank's core is free: spin this long after the last progress, then nap between looks.
constexpr double kSpin_s = 5e-3;
// A thread that wakes before the busy thread beside it got as much time as it took itself does not
// get the core back before the next tick, 4 ms later (Linux EEVDF): nap longer than that.
constexpr double kFairNap = 1.5;

}  // namespace

MpiEngine::MpiEngine(bool spin) : spin_(spin), thread_([this] { run(); }) {}

MpiEngine::~MpiEngine() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  posted_or_stop_.notify_all();
  thread_.join();
}

void MpiEngine::post(std::shared_ptr<MpiOperation> operation) {
  {
    const std::lock_guard lock(mutex_);
    if (failure_) {
      operation->finish(failure_);
      return;
    }
    posted_.push_back(std::move(operation));
    has_posted_.store(true, std::memory_order_release);
  }
  posted_or_stop_.notify_one();
}

void MpiEngine::wait(const MpiOperation& operation) {
  if (!operation.finished()) {
    waiters_.fetch_add(1);
    operation.wait_finished();
    waiters_.fetch_sub(1);
  }
  operation.throw_if_failed();
}

void MpiEngine::abort(ExitCode code, double limit_s) {
  {
    const std::lock_guard lock(mutex_);
    abort_ = true;
    abort_code_ = code;
    has_posted_ = true;
  }
  posted_or_stop_.notify_all();
  std::this_thread::sleep_for(std::chrono::duration<double>(limit_s));
}

void MpiEngine::give_up(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = error;
  broken_ = true;
}

void MpiEngine::run() {
  set_thread_name("comm");
  block_signals();
  prefer_low_latency();
  try {
    while (take_posted()) {
      const double begin_s = now_s();
      advance_all();
      if (!active_.empty()) pause(now_s() - begin_s);
    }
  } catch (...) {
    fail_all(current_error());
  }
}

bool MpiEngine::take_posted() {
  if (!active_.empty() && !has_posted_.load(std::memory_order_acquire)) return true;
  Operations posted;
  {
    std::unique_lock lock(mutex_);
    posted_or_stop_.wait(
        lock, [this] { return stop_ || abort_ || !posted_.empty() || !active_.empty(); });
    if (abort_) MPI_Abort(MPI_COMM_WORLD, static_cast<int>(abort_code_));
    if (stop_ && posted_.empty() && active_.empty()) return false;
    posted.swap(posted_);
    has_posted_ = false;
  }
  start_all(posted);
  return true;
}

void MpiEngine::start_all(Operations& posted) {
  for (auto& operation : posted) {
    if (broken_) {
      const std::lock_guard lock(mutex_);
      operation->finish(failure_);
      continue;
    }
    operation->start_s_ = now_s();
    active_.push_back(operation);
    try {
      operation->start();
    } catch (...) {
      fail_all(current_error());
    }
  }
  idle_since_s_ = now_s();
}

void MpiEngine::advance_all() {
  const double now = now_s();
  const double timeout_s = timeout_s_;
  for (auto place = active_.begin(); place != active_.end();) {
    MpiOperation& operation = **place;
    try {
      if (operation.advance()) {
        operation.finish(std::nullopt);
        place = active_.erase(place);
        idle_since_s_ = now;
        continue;
      }
    } catch (...) {
      return fail_all(current_error());
    }
    if (now - operation.start_s_ > timeout_s) {
      return fail_all(Error(ExitCode::kPeerLost, late_text(operation.text(), timeout_s)));
    }
    ++place;
  }
}

void MpiEngine::pause(double worked_s) {
  if (waiters_ > 0) {
    if (now_s() - idle_since_s_ > kSpin_s) return std::this_thread::sleep_for(kNap);
    if (!spin_) sched_yield();
    return;
  }
  std::this_thread::sleep_for(std::max(kNap, std::chrono::duration<double>(kFairNap * worked_s)));
}

// The requests of a failed operation stay with MPI: collectives cannot be cancelled.
void MpiEngine::fail_all(const Error& error) {
  Operations failed;
  {
    const std::lock_guard lock(mutex_);
    broken_ = true;
    if (!failure_) failure_ = error;
    failed.swap(posted_);
  }
  failed.insert(failed.end(), active_.begin(), active_.end());
  // Kept alive for ever: MPI may still write through their buffers and requests.
  static auto* const graveyard = new Operations();
  graveyard->insert(graveyard->end(), active_.begin(), active_.end());
  active_.clear();
  for (auto& operation : failed) operation->finish(failure_);
}

}  // namespace lockstep::comm
