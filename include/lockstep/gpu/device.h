// Devices, streams, events and pinned memory behind one interface. The host backend is a real
// object whose streams are in order with the caller; the CUDA one lives in liblockstep_cuda.so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace lockstep::gpu {

// cudaStream_t on CUDA, where nullptr is the default stream. On the host always nullptr: work is
// done when the call returns.
struct StreamHandle {
  void* native = nullptr;
};

struct DeviceInfo {
  int index = 0;
  std::string name;
  std::string uuid;  // "GPU-…"; equal on two ranks exactly when they share a device
  std::int64_t memory_total_bytes = 0;
  int capability_major = 0;
  int capability_minor = 0;
  bool has_bf16 = false;  // in hardware: compute capability 8.0 and newer
};

struct DeviceSample {
  double utilisation = 0;  // share of time in which some kernel ran, 0 to 1 (NVML)
  std::int64_t memory_used_bytes = 0;
  double power_w = 0;
  double temperature_c = 0;
};

// A point in a stream's work.
class Event {
 public:
  virtual ~Event() = default;
  virtual void record(StreamHandle stream) = 0;
  // Work put on `stream` afterwards waits for the recorded point. Does not block the host.
  virtual void make_wait(StreamHandle stream) = 0;
  virtual bool done() = 0;
  // Blocks: the host, until the recorded point is reached.
  virtual void synchronize() = 0;
  // Milliseconds from `earlier` to this one. Requires: both done, both made with timing.
  virtual double elapsed_ms(Event& earlier) = 0;
};

class Stream {
 public:
  virtual ~Stream() = default;
  virtual StreamHandle handle() const = 0;
};

// Page-locked host memory on CUDA, 64-byte aligned ordinary memory on the host backend.
class PinnedBuffer {
 public:
  virtual ~PinnedBuffer() = default;
  virtual std::byte* data() = 0;
  virtual std::size_t size_bytes() const = 0;
};

// One kind of device. Throws: Error(kUnavailable) for what a device refuses, Error(kOutOfMemory).
class Backend {
 public:
  virtual ~Backend() = default;
  virtual bool is_cuda() const = 0;
  virtual int device_count() = 0;
  virtual DeviceInfo info(int index) = 0;
  // Chosen once at start-up, for the whole process. Thread: objects made afterwards belong to this
  // device, and any thread may wait for their events.
  virtual void set_device(int index) = 0;
  virtual std::unique_ptr<Stream> make_stream(bool high_priority) = 0;
  virtual std::unique_ptr<Event> make_event(bool timing) = 0;
  virtual std::unique_ptr<PinnedBuffer> make_pinned(std::size_t size_bytes) = 0;
  // Host to device on `stream`; `from` must stay untouched until the copy is done.
  virtual void copy_to_device_async(void* to,
                                    const void* from,
                                    std::size_t size_bytes,
                                    StreamHandle stream) = 0;
  virtual void copy_to_host_async(void* to,
                                  const void* from,
                                  std::size_t size_bytes,
                                  StreamHandle stream) = 0;
  virtual void synchronize(StreamHandle stream) = 0;
  // The stream that LibTorch's work of the calling thread goes to; the null handle on the host.
  virtual StreamHandle compute_stream() = 0;
  // Utilisation of device `index` by NVML; nullopt where it cannot be had.
  virtual std::optional<DeviceSample> sample(int index) = 0;
  // Named range for profilers (NVTX); no-ops on the host.
  virtual void push_range(const char* name) = 0;
  virtual void pop_range() = 0;
};

Backend& host_backend();

// Opens liblockstep_cuda.so at the first call. Throws: Error(kUnavailable) that says which of
// driver, device or library is missing and what to do.
Backend& cuda_backend();

// Cheap: whether an NVIDIA driver with at least one device is there (no CUDA library is loaded).
// `reason` receives a sentence when it is not.
bool cuda_device_present(std::string* reason);

// A symbol of liblockstep_cuda.so (the module must be open). Kernels of other modules are reached
// through this: optim and augment declare the function type in their own header.
void* cuda_symbol(const char* name);

}  // namespace lockstep::gpu
