// A group of ranks that talk to each other. Speaks pointers, counts and types, never tensors.
#pragma once

#include <lockstep/comm/types.h>
#include <lockstep/gpu/device.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace lockstep::comm {

// A collective that was started.
class Work {
 public:
  virtual ~Work() = default;
  // On shared memory done() and wait() of any Work are what carries all reductions on.
  virtual bool done() = 0;
  // Host memory: blocks until the result is there. Device memory: `stream` waits, the host does
  // not. Throws: Error(kPeerLost) when the collective failed or timed out.
  virtual void wait(gpu::StreamHandle stream) = 0;
  // Seconds between start and end as the transport saw it; 0 until done. For the ledger.
  virtual double busy_s() = 0;
};

// Collective: every rank of the group makes the same calls in the same order, from one thread.
// Buffers are host memory for the solo and MPI groups, device memory for NCCL. A group of size one
// is a real object whose collectives copy or do nothing.
class Group {
 public:
  virtual ~Group() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual std::string backend() const = 0;  // "solo", "mpi", "shared+mpi", "nccl"

  // Memory of which collectives will move parts again and again, for a transport that is faster
  // when it maps it once: for as long as the result lives, which goes before memory and group.
  // Local.
  virtual std::shared_ptr<void> keep_mapped(void* /*memory*/, std::size_t /*size_bytes*/) {
    return nullptr;
  }

  // In place. `ready` names the stream whose work so far produces the buffer (ignored on the host).
  virtual std::unique_ptr<Work> all_reduce_async(
      void* buffer, std::size_t count, DType type, ReduceOp op, gpu::StreamHandle ready) = 0;
  virtual std::unique_ptr<Work> broadcast_async(
      void* buffer, std::size_t count, DType type, int root, gpu::StreamHandle ready) = 0;
  // `out` holds size() x count elements, in rank order. `in` may be slice rank() of `out`.
  virtual std::unique_ptr<Work> all_gather_async(
      const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle ready) = 0;
  // `in` holds size() x count elements; `out` receives the sum of slice rank(). `out` may be that
  // slice of `in`: a rank writes nothing but its own slice of its own memory, and its peers read
  // only theirs. The other slices of `in` stay as they were. Sums are taken in the same order as by
  // all_reduce_async of the ranks of one host, at 8 KiB and more also where messages are sent.
  virtual std::unique_ptr<Work> reduce_scatter_async(const void* in,
                                                     void* out,
                                                     std::size_t count,
                                                     DType type,
                                                     ReduceOp op,
                                                     gpu::StreamHandle ready) = 0;
  // `in` and `out` hold size() x count elements.
  virtual std::unique_ptr<Work> all_to_all_async(
      const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle ready) = 0;
  virtual std::unique_ptr<Work> send_async(
      const void* buffer, std::size_t count, DType type, int to, gpu::StreamHandle ready) = 0;
  virtual std::unique_ptr<Work> receive_async(
      void* buffer, std::size_t count, DType type, int from, gpu::StreamHandle ready) = 0;
};

// Blocking conveniences on host memory, for the control plane.
// Collective. Blocks.
void all_reduce(Group& group, std::span<double> values, ReduceOp op);
void all_reduce(Group& group, std::span<std::int64_t> values, ReduceOp op);
void broadcast(Group& group, std::span<std::byte> bytes, int root);
std::string broadcast_text(Group& group, const std::string& text, int root);
std::vector<std::string> all_gather_text(Group& group, const std::string& text);  // in rank order
void barrier(Group& group);

}  // namespace lockstep::comm
