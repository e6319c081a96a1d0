// The one thread that calls MPI after start-up (MPI_THREAD_SERIALIZED). Others post operations and
// wait for them. It sleeps when there is nothing to do, spins politely while somebody waits, and
// naps between looks while its rank computes.
#pragma once

#include "mpi_operation.h"

#include <lockstep/base/exit_code.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace lockstep::comm {

class MpiEngine {
 public:
  // `spin`: every rank of this host has a core of its own.
  explicit MpiEngine(bool spin);
  // Waits for what was posted (or its time-out), then joins the thread.
  ~MpiEngine();
  MpiEngine(const MpiEngine&) = delete;
  MpiEngine& operator=(const MpiEngine&) = delete;

  // Thread: any. Operations start in the order in which they were posted. After a failure every
  // operation fails with the first one's error.
  void post(std::shared_ptr<MpiOperation> operation);
  // Blocks. Throws: Error(kPeerLost).
  void wait(const MpiOperation& operation);

  // Seconds that an operation may take from its start.
  void set_timeout(double timeout_s) { timeout_s_ = timeout_s; }
  // A collective outside the engine failed: what is posted from now on fails with its error.
  void give_up(const Error& error);
  // After a failed operation: MPI must not be finalised.
  bool broken() const { return broken_; }
  // Makes the thread call MPI_Abort; returns when it did not end this process within `limit_s`.
  void abort(ExitCode code, double limit_s);

 private:
  using Operations = std::vector<std::shared_ptr<MpiOperation>>;

  void run();
  // False when the thread shall end.
  bool take_posted();
  void start_all(Operations& posted);
  void advance_all();
  void pause(double worked_s);
  void fail_all(const Error& error);

  const bool spin_;
  std::mutex mutex_;
  std::condition_variable posted_or_stop_;
  Operations posted_;   // guarded by mutex_
  bool stop_ = false;   // guarded by mutex_
  bool abort_ = false;  // guarded by mutex_
  ExitCode abort_code_ = ExitCode::kInternal;
  std::optional<Error> failure_;  // guarded by mutex_
  std::atomic<bool> broken_{false};
  std::atomic<int> waiters_{0};
  std::atomic<bool> has_posted_{false};
  std::atomic<double> timeout_s_{600.0};
  Operations active_;  // communication thread only
  double idle_since_s_ = 0;
  std::thread thread_;
};

}  // namespace lockstep::comm
