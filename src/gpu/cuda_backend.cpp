// The CUDA backend, inside liblockstep_cuda.so. Must not know who uses it.
#include "cuda_check.h"
#include "cuda_current_stream.h"
#include "cuda_objects.h"
#include "nvml.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/gpu/device.h>

#include <atomic>
#include <memory>
#include <mutex>

namespace lockstep::gpu {
namespace {

// NVIDIA's way to write a UUID: "GPU-", then groups of 8, 4, 4, 4 and 12 hexadecimal digits.
std::string uuid_text(const cudaUUID_t& uuid) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text = "GPU-";
  for (std::size_t i = 0; i < sizeof(uuid.bytes); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    const auto byte = static_cast<unsigned char>(uuid.bytes[i]);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

class CudaBackend final : public Backend {
 public:
  bool is_cuda() const override { return true; }

  int device_count() override {
    int count = 0;
    const cudaError_t code = cudaGetDeviceCount(&count);
    if (code == cudaErrorNoDevice) return 0;
    check_cuda(code, "cudaGetDeviceCount");
    return count;
  }

  DeviceInfo info(int index) override {
    cudaDeviceProp properties{};
    check_cuda(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties");
    DeviceInfo info;
    info.index = index;
    info.name = properties.name;
    info.uuid = uuid_text(properties.uuid);
    info.memory_total_bytes = static_cast<std::int64_t>(properties.totalGlobalMem);
    info.capability_major = properties.major;
    info.capability_minor = properties.minor;
    info.has_bf16 = properties.major >= 8;
    return info;
  }

  void set_device(int index) override {
    check_cuda(cudaSetDevice(index), "cudaSetDevice");
    device_ = index;
  }

  std::unique_ptr<Stream> make_stream(bool high_priority) override {
    return std::make_unique<CudaStream>(high_priority);
  }
  std::unique_ptr<Event> make_event(bool timing) override {
    return std::make_unique<CudaEvent>(timing);
  }
  std::unique_ptr<PinnedBuffer> make_pinned(std::size_t size_bytes) override {
    return std::make_unique<CudaPinnedBuffer>(size_bytes, device_);
  }

  // Either side may be device memory: the driver knows by the address.
  void copy_to_device_async(void* to,
                            const void* from,
                            std::size_t size_bytes,
                            StreamHandle stream) override {
    if (size_bytes == 0) return;
    check_cuda(cudaMemcpyAsync(to, from, size_bytes, cudaMemcpyDefault, native(stream)),
               "cudaMemcpyAsync to the device");
  }
  void copy_to_host_async(void* to,
                          const void* from,
                          std::size_t size_bytes,
                          StreamHandle stream) override {
    if (size_bytes == 0) return;
    check_cuda(cudaMemcpyAsync(to, from, size_bytes, cudaMemcpyDefault, native(stream)),
               "cudaMemcpyAsync to the host");
  }

  void synchronize(StreamHandle stream) override {
    check_cuda(cudaStreamSynchronize(native(stream)), "cudaStreamSynchronize");
  }
  StreamHandle compute_stream() override { return {torch_current_stream()}; }

  std::optional<DeviceSample> sample(int index) override {
    const std::lock_guard lock(mutex_);
    if (!nvml_) nvml_ = std::make_unique<Nvml>();
    if (sampled_index_ != index) {
      sampled_uuid_ = info(index).uuid;
      sampled_index_ = index;
    }
    return nvml_->sample(sampled_uuid_);
  }

  // The toolkit of the wheels has no NVTX headers: ranges are for LibTorch's profiler alone.
  void push_range(const char* /*name*/) override {}
  void pop_range() override {}

 private:
  std::atomic<int> device_{0};  // of this process
  std::mutex mutex_;
  std::unique_ptr<Nvml> nvml_;  // guarded by mutex_
  int sampled_index_ = -1;      // guarded by mutex_
  std::string sampled_uuid_;    // guarded by mutex_
};

}  // namespace
}  // namespace lockstep::gpu

extern "C" lockstep::gpu::Backend* lockstep_cuda_backend() {
  // Never destroyed: the CUDA runtime may be gone before static destructors run.
  static auto* const backend = new lockstep::gpu::CudaBackend();
  return backend;
}
