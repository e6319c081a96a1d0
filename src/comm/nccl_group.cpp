#include "nccl_group.h"

#include "nccl_door.h"
#include "nccl_library.h"

#include <lockstep/base/clock.h>
#include <lockstep/base/format.h>
#include <lockstep/base/units.h>

#include <cstring>
#include <span>
#include <utility>

namespace lockstep::comm {
namespace {

class NcclWork final : public Work {
 public:
  struct Events {
    std::unique_ptr<gpu::Event> begin;
    std::unique_ptr<gpu::Event> end;
  };

  NcclWork(std::shared_ptr<NcclCommunicator> communicator, std::string what, Events events)
      : communicator_(std::move(communicator)),
        what_(std::move(what)),
        events_(std::move(events)),
        posted_s_(now_s()) {}

  // Doubles as the error poll: callers look at works in flight once a step.
  bool done() override {
    if (events_.end->done()) return true;
    communicator_->check_progress(what_, posted_s_);
    return false;
  }

  void wait(gpu::StreamHandle stream) override {
    communicator_->check(what_);
    events_.end->make_wait(stream);
  }

  double busy_s() override {
    return events_.end->done() ? events_.end->elapsed_ms(*events_.begin) / 1e3 : 0;
  }

 private:
  std::shared_ptr<NcclCommunicator> communicator_;
  std::string what_;
  Events events_;
  double posted_s_;
};

bool is_taken(ncclResult_t result) { return result == ncclSuccess || result == ncclInProgress; }

// Several point-to-point calls as one operation.
template <class Calls>
ncclResult_t grouped(Calls calls) {
  const ncclResult_t started = ncclGroupStart();
  if (started != ncclSuccess) return started;
  const ncclResult_t called = calls();
  const ncclResult_t ended = ncclGroupEnd();
  return is_taken(called) ? ended : called;
}

}  // namespace

NcclGroup::NcclGroup(gpu::Backend& backend,
                     bool high_priority,
                     const ncclUniqueId& id,
                     const NcclCommunicator::Settings& settings)
    : backend_(backend),
      rank_(settings.rank),
      size_(settings.size),
      stream_(backend.make_stream(high_priority)),
      communicator_(std::make_shared<NcclCommunicator>(nccl_library(), &id, settings)) {}

std::shared_ptr<void> NcclGroup::keep_mapped(void* memory, std::size_t size_bytes) {
  const auto communicator = communicator_;
  return {communicator->map(memory, size_bytes),
          [communicator](void* mapped) { communicator->unmap(mapped); }};
}

std::unique_ptr<Work> NcclGroup::launch(const char* verb,
                                        std::size_t size_bytes,
                                        gpu::StreamHandle ready,
                                        const Call& call) {
  // The collective must not overtake the kernels that produce the buffer.
  auto produced = backend_.make_event(false);
  produced->record(ready);
  produced->make_wait(stream_->handle());
  NcclWork::Events events{backend_.make_event(true), backend_.make_event(true)};
  events.begin->record(stream_->handle());
  std::string what = format("{} of {}", verb, bytes_text(static_cast<double>(size_bytes)));
  communicator_->launch(what, [&] {
    return to_status(call(static_cast<ncclComm_t>(communicator_->handle()),
                          static_cast<cudaStream_t>(stream_->handle().native)));
  });
  events.end->record(stream_->handle());
  return std::make_unique<NcclWork>(communicator_, std::move(what), std::move(events));
}

std::unique_ptr<Work> NcclGroup::all_reduce_async(
    void* buffer, std::size_t count, DType type, ReduceOp op, gpu::StreamHandle ready) {
  return launch("all-reduce", count * size_bytes(type), ready, [=](auto comm, auto stream) {
    return ncclAllReduce(buffer, buffer, count, nccl_type(type), nccl_op(op), comm, stream);
  });
}

std::unique_ptr<Work> NcclGroup::broadcast_async(
    void* buffer, std::size_t count, DType type, int root, gpu::StreamHandle ready) {
  return launch("broadcast", count * size_bytes(type), ready, [=](auto comm, auto stream) {
    return ncclBroadcast(buffer, buffer, count, nccl_type(type), root, comm, stream);
  });
}

std::unique_ptr<Work> NcclGroup::all_gather_async(
    const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle ready) {
  return launch("all-gather", count * size_bytes(type), ready, [=](auto comm, auto stream) {
    return ncclAllGather(in, out, count, nccl_type(type), comm, stream);
  });
}

std::unique_ptr<Work> NcclGroup::reduce_scatter_async(const void* in,
                                                      void* out,
                                                      std::size_t count,
                                                      DType type,
                                                      ReduceOp op,
                                                      gpu::StreamHandle ready) {
  return launch("reduce-scatter", count * size_bytes(type), ready, [=](auto comm, auto stream) {
    return ncclReduceScatter(in, out, count, nccl_type(type), nccl_op(op), comm, stream);
  });
}

std::unique_ptr<Work> NcclGroup::all_to_all_async(
    const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle ready) {
  const std::size_t bytes = count * size_bytes(type);
  return launch("all-to-all", bytes, ready, [=, this](auto comm, auto stream) {
    return grouped([&] {
      ncclResult_t result = ncclSuccess;
      for (int peer = 0; peer < size_ && is_taken(result); ++peer) {
        const std::size_t place = static_cast<std::size_t>(peer) * bytes;
        result = ncclSend(
            static_cast<const std::byte*>(in) + place, count, nccl_type(type), peer, comm, stream);
        if (!is_taken(result)) break;
        result = ncclRecv(
            static_cast<std::byte*>(out) + place, count, nccl_type(type), peer, comm, stream);
      }
      return result;
    });
  });
}

std::unique_ptr<Work> NcclGroup::send_async(
    const void* buffer, std::size_t count, DType type, int to, gpu::StreamHandle ready) {
  return launch("send", count * size_bytes(type), ready, [=](auto comm, auto stream) {
    return ncclSend(buffer, count, nccl_type(type), to, comm, stream);
  });
}

std::unique_ptr<Work> NcclGroup::receive_async(
    void* buffer, std::size_t count, DType type, int from, gpu::StreamHandle ready) {
  return launch("receive", count * size_bytes(type), ready, [=](auto comm, auto stream) {
    return ncclRecv(buffer, count, nccl_type(type), from, comm, stream);
  });
}

namespace {

Group* open_group(World& world, const Device& device, const Options& options) {
  ncclUniqueId id{};
  agree(world, [&] {
    if (world.rank() != 0) return;
    if (ncclGetUniqueId(&id) != ncclSuccess) {
      throw unavailable_error(format("NCCL does not start: {}", ncclGetLastError(nullptr)));
    }
  });
  broadcast(world.control(), std::as_writable_bytes(std::span(&id, 1)), 0);
  return new NcclGroup(*device.backend,
                       options.stream_priority == "high",
                       id,
                       {.rank = world.rank(),
                        .size = world.size(),
                        .max_ctas = static_cast<int>(options.max_ctas),
                        .timeout_s = options.timeout_s});
}

}  // namespace
}  // namespace lockstep::comm

// kNcclEntry of nccl_door.h. Collective.
extern "C" lockstep::comm::Group* lockstep_open_nccl_group(lockstep::comm::World& world,
                                                           const lockstep::comm::Device& device,
                                                           const lockstep::comm::Options& options) {
  return lockstep::comm::open_group(world, device, options);
}
