#include "nccl_communicator.h"

#include <lockstep/base/clock.h>
#include <lockstep/base/format.h>
#include <lockstep/base/log.h>
#include <lockstep/base/process.h>

#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <thread>

namespace lockstep::comm {
namespace {

constexpr auto kPollPause = std::chrono::microseconds(100);
// The first polls follow at once: most launches are taken within microseconds.
constexpr int kEagerPolls = 100;

}  // namespace

NcclCommunicator::NcclCommunicator(const NcclApi& api,
                                   const void* unique_id,
                                   const Settings& settings)
    : api_(api), settings_(settings) {
  settle("opening",
         api_.init(&handle_, {settings.rank, settings.size, settings.max_ctas}, unique_id));
}

NcclCommunicator::~NcclCommunicator() {
  if (failure_ || handle_ == nullptr) return;  // aborted already
  if (std::uncaught_exceptions() > 0) {
    // On the way out of a failure peers may never answer what is still queued.
    abort_in_time();
    return;
  }
  try {
    settle("closing", api_.finalize(handle_));
    api_.destroy(handle_);
  } catch (const Error& error) {
    log::warning("{}", error.what());
  }
}

void NcclCommunicator::launch(const std::string& what, const std::function<NcclStatus()>& call) {
  if (failure_) throw Error(*failure_);
  settle(what, call());
}

void* NcclCommunicator::map(void* memory, std::size_t size_bytes) {
  return failure_ ? nullptr : api_.map(handle_, memory, size_bytes);
}

void NcclCommunicator::unmap(void* mapped) {
  // On the way out of a failure collectives may hang that use it; the abort takes its tables along.
  if (failure_ || std::uncaught_exceptions() > 0) return;
  if (mapped != nullptr) api_.unmap(handle_, mapped);
}

void NcclCommunicator::check(const std::string& what) {
  if (failure_) throw Error(*failure_);
  if (api_.poll(handle_) == NcclStatus::kFailed) {
    fail(format("{} failed in {}: {}", what, place(), api_.last_error(handle_)));
  }
}

void NcclCommunicator::check_progress(const std::string& what, double since_s) {
  check(what);
  if (now_s() - since_s <= settings_.timeout_s) return;
  fail(
      format("{} did not finish within {:.1f} s (comm.timeout_s) in {}: a peer died, hangs or is "
             "far behind; see the other ranks' logs",
             what,
             settings_.timeout_s,
             place()));
}

void NcclCommunicator::settle(const std::string& what, NcclStatus status) {
  const double begin_s = now_s();
  for (int polls = 0; status == NcclStatus::kInProgress; ++polls) {
    if (polls > kEagerPolls) std::this_thread::sleep_for(kPollPause);
    status = api_.poll(handle_);
    if (status == NcclStatus::kInProgress) check_progress(what, begin_s);
  }
  if (status == NcclStatus::kFailed) {
    fail(format("{} failed in {}: {}", what, place(), api_.last_error(handle_)));
  }
}

void NcclCommunicator::fail(const std::string& cause) {
  failure_ = Error(ExitCode::kPeerLost, cause);
  abort_in_time();
  throw Error(*failure_);
}

std::string NcclCommunicator::place() const {
  return format(
      "the NCCL group on rank {} of {} ({})", settings_.rank, settings_.size, host_name());
}

// ncclCommAbort waits for kernels and proxies; the thread is left behind when it takes too long.
void NcclCommunicator::abort_in_time() {
  if (handle_ == nullptr) return;
  auto finished = std::make_shared<std::promise<void>>();
  auto waiting = finished->get_future();
  std::thread([abort = api_.abort, handle = handle_, finished] {
    abort(handle);
    finished->set_value();
  }).detach();
  const auto limit = std::chrono::duration<double>(settings_.abort_limit_s);
  if (waiting.wait_for(limit) == std::future_status::timeout) {
    log::warning("NCCL did not abort within {:.1f} s: leaving it behind", settings_.abort_limit_s);
  }
  handle_ = nullptr;
}

}  // namespace lockstep::comm
