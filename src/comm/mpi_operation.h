// One collective or message on its way through MPI: a small state machine that the communication
// thread starts and advances. Must not know who waits for it.
#pragma once

#include "group_place.h"

#include <lockstep/base/error.h>

#include <mpi.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lockstep::comm {

class MpiOperation {
 public:
  MpiOperation(const char* verb, std::size_t size_bytes, const GroupPlace& place)
      : verb_(verb), size_bytes_(size_bytes), place_(place) {}
  virtual ~MpiOperation() = default;
  MpiOperation(const MpiOperation&) = delete;
  MpiOperation& operator=(const MpiOperation&) = delete;

  // Thread: the communication thread only. Throws: Error(kPeerLost) when an MPI call fails.
  virtual void start() = 0;
  // True when the result is there.
  virtual bool advance() = 0;

  // "all-reduce of 4.0 MiB in the data group on rank 1 of 2 (host)".
  std::string text() const;
  bool finished() const { return state_.load(std::memory_order_acquire) != kPending; }
  // Blocks.
  void wait_finished() const { state_.wait(kPending, std::memory_order_acquire); }
  void throw_if_failed() const;
  double busy_s() const { return finished() ? end_s_ - start_s_ : 0; }

 private:
  friend class MpiEngine;
  static constexpr int kPending = 0;
  static constexpr int kDone = 1;
  static constexpr int kFailed = 2;
  void finish(std::optional<Error> failure);

  const char* verb_;
  std::size_t size_bytes_;
  GroupPlace place_;
  double start_s_ = 0;
  double end_s_ = 0;
  std::optional<Error> failure_;
  std::atomic<int> state_{kPending};
};

// Throws: Error(kPeerLost) that names the MPI call and MPI's own words.
void check_mpi(int code, const char* call);

// The usual case: some requests, done when all are.
class RequestOperation : public MpiOperation {
 public:
  using MpiOperation::MpiOperation;
  bool advance() override;

 protected:
  // A slot for one more request. The pointer is good until the next call.
  MPI_Request* next();
  void clear() { requests_.clear(); }

 private:
  std::vector<MPI_Request> requests_;
};

// Requests that a function starts.
template <class Start>
class StartedOperation final : public RequestOperation {
 public:
  StartedOperation(const char* verb, std::size_t size_bytes, const GroupPlace& place, Start start)
      : RequestOperation(verb, size_bytes, place), start_(std::move(start)) {}
  void start() override {
    start_([this] { return next(); });
  }

 private:
  Start start_;
};

}  // namespace lockstep::comm
