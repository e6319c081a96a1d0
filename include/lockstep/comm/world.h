// All ranks of the job: who they are, the control plane, the data plane, and the way out.
#pragma once

#include <lockstep/base/error.h>
#include <lockstep/comm/group.h>
#include <lockstep/comm/options.h>
#include <lockstep/gpu/device.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lockstep::comm {

// The device that a rank computes on.
struct Device {
  gpu::Backend* backend = nullptr;
  int index = 0;  // 0 on the CPU
  bool is_cuda() const { return backend->is_cuda(); }
};

// The axes along which work is split. Only `data` is larger than one today; code above comm asks
// the mesh for a group and never for the world's size.
class Mesh {
 public:
  explicit Mesh(std::unique_ptr<Group> data);
  Group& data() { return *data_; }
  Group& tensor() { return *tensor_; }
  Group& pipeline() { return *pipeline_; }
  Group& expert() { return *expert_; }

 private:
  std::unique_ptr<Group> data_;
  std::unique_ptr<Group> tensor_;
  std::unique_ptr<Group> pipeline_;
  std::unique_ptr<Group> expert_;
};

// Memory that collectives like best. Freed by the World that gave it, which must outlive it.
class Memory {
 public:
  virtual ~Memory() = default;
  virtual void* data() = 0;
  virtual std::size_t size_bytes() const = 0;
};

// Lifetime: opened first and destroyed last in main, after every Group, Mesh and Memory made by it.
class World {
 public:
  virtual ~World() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  // Place among the ranks of this host (MPI_Comm_split_type, SHARED).
  virtual int local_rank() const = 0;
  virtual int local_size() const = 0;
  virtual std::string description() const = 0;  // "Open MPI 4.1.4", "one rank, no MPI"

  // Small host-memory collectives. Thread: the main thread only.
  virtual Group& control() = 0;
  // Collective: the data plane for gradients on `device`.
  // Throws: Error(kUnavailable), also when two ranks share one GPU and `allow_gpu_sharing` is off.
  virtual Mesh open_mesh(const Options& options, const Device& device, bool allow_gpu_sharing) = 0;
  // Host memory, 128-byte aligned, zeroed. Where ranks share a host, the others reach it, so that
  // an all-reduce in it needs no copy and no message. Collective: all ranks, equal sizes.
  virtual std::unique_ptr<Memory> allocate(std::size_t size_bytes) = 0;
  // As allocate(), one piece that all ranks of this host see. Collective: all ranks, equal sizes.
  // Throws: AgreedError(kOutOfMemory) when a host has no room for it.
  virtual std::unique_ptr<Memory> allocate_shared(std::size_t size_bytes) = 0;
  // Ends all ranks at once with `code`; for failures that could not be agreed on.
  [[noreturn]] virtual void abort(ExitCode code) = 0;
};

// One rank, no MPI: a real world of size one.
std::unique_ptr<World> open_solo_world();
// Opens liblockstep_mpi.so and MPI (MPI_THREAD_SERIALIZED). Throws: Error(kUnavailable).
std::unique_ptr<World> open_mpi_world();
// MPI when a launcher started this process, else the solo world. Throws: AgreedError(kUnavailable)
// when Slurm started several tasks of a step and gave MPI no means to find them.
std::unique_ptr<World> open_world();

// What all ranks agreed after a phase that may fail on any of them.
struct Failure {
  ExitCode code = ExitCode::kDone;
  int rank = 0;  // the lowest failing rank
  std::string cause;
};

// Thrown by `agree` on every rank when any rank failed: carries the lowest failing rank's words.
class AgreedError : public Error {
 public:
  explicit AgreedError(const Failure& failure)
      : Error(failure.code, failure.cause), rank_(failure.rank) {}
  int rank() const { return rank_; }

 private:
  int rank_;
};

// Runs `phase` on every rank; when it threw on any, throws the same AgreedError on all.
// Collective. Requires: `phase` makes no collective call that a failing rank would miss.
void agree(World& world, const std::function<void()>& phase);

// What every rank must have alike before they exchange data.
struct Fact {
  std::string key;    // "optim.lr", "shape of head.weight"
  std::string value;  // as it is shown; may be long
};
// Compares every rank's facts. Collective. Throws on all ranks alike: AgreedError(kConfig) that
// names the first key that differs, its values and the ranks that have each.
void agree_on(World& world, const std::vector<Fact>& facts);

// The device for this rank: `kind` is "auto", "cpu" or "cuda". One visible device is used by its
// only rank; with several, local_rank picks. Collective (ranks of a host compare device ids).
// Throws: Error(kUnavailable) naming both counts, or the ranks that share a GPU.
Device choose_device(World& world, const std::string& kind, bool allow_gpu_sharing);

}  // namespace lockstep::comm
