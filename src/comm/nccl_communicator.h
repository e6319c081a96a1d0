// The life of one NCCL communicator: opened without blocking, polled with a time limit, and ended
// in bounded time whatever its peers do. Knows neither CUDA nor NCCL's header (NcclApi).
#pragma once

#include "nccl_api.h"

#include <lockstep/base/error.h>

#include <functional>
#include <optional>
#include <string>

namespace lockstep::comm {

class NcclCommunicator {
 public:
  struct Settings {
    int rank = 0;
    int size = 1;
    int max_ctas = 0;  // 0: NCCL's choice
    double timeout_s = 600;
    double abort_limit_s = 10;  // for ncclCommAbort, which may never return
  };

  // Blocks: until all ranks have come. Throws: Error(kPeerLost) after timeout_s or a failure.
  NcclCommunicator(const NcclApi& api, const void* unique_id, const Settings& settings);
  // Finalises when nothing failed, else (also while an exception is on its way) aborts; both in
  // bounded time.
  ~NcclCommunicator();
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;

  NcclHandle handle() const { return handle_; }

  // Runs `call` and waits until NCCL has taken the work into its queues (not until it is done).
  // Throws: Error(kPeerLost); the communicator is then aborted and every later call throws again.
  void launch(const std::string& what, const std::function<NcclStatus()>& call);
  // nullptr when there is nothing to undo. After a failure both do nothing.
  void* map(void* memory, std::size_t size_bytes);
  void unmap(void* mapped);
  // Throws the failure that a peer or the network caused meanwhile, if any.
  void check(const std::string& what);
  // Work that was queued at `since_s` is not done: throws when that is too long ago, or failed.
  void check_progress(const std::string& what, double since_s);

 private:
  void settle(const std::string& what, NcclStatus status);
  [[noreturn]] void fail(const std::string& cause);
  std::string place() const;
  void abort_in_time();

  NcclApi api_;
  Settings settings_;
  NcclHandle handle_ = nullptr;
  std::optional<Error> failure_;
};

}  // namespace lockstep::comm
