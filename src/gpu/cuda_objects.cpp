#include "cuda_objects.h"

#include "cuda_check.h"

#include <lockstep/base/error.h>

namespace lockstep::gpu {

CudaStream::CudaStream(bool high_priority) {
  int least = 0;
  int greatest = 0;
  check_cuda(cudaDeviceGetStreamPriorityRange(&least, &greatest),
             "cudaDeviceGetStreamPriorityRange");
  check_cuda(cudaStreamCreateWithPriority(
                 &stream_, cudaStreamNonBlocking, high_priority ? greatest : least),
             "cudaStreamCreateWithPriority");
}

CudaStream::~CudaStream() { cudaStreamDestroy(stream_); }

CudaEvent::CudaEvent(bool timing) {
  check_cuda(cudaGetDevice(&device_), "cudaGetDevice");
  check_cuda(cudaEventCreateWithFlags(&event_, timing ? cudaEventDefault : cudaEventDisableTiming),
             "cudaEventCreateWithFlags");
}

CudaEvent::~CudaEvent() { cudaEventDestroy(event_); }

void CudaEvent::record(StreamHandle stream) {
  check_cuda(cudaEventRecord(event_, native(stream)), "cudaEventRecord");
}

void CudaEvent::make_wait(StreamHandle stream) {
  check_cuda(cudaStreamWaitEvent(native(stream), event_, 0), "cudaStreamWaitEvent");
}

// A thread that never chose a device (a reader) would open a context on device 0 here and below,
// which costs that device hundreds of MB for every rank of the host.
bool CudaEvent::done() {
  check_cuda(cudaSetDevice(device_), "cudaSetDevice");
  const cudaError_t code = cudaEventQuery(event_);
  if (code == cudaErrorNotReady) return false;
  check_cuda(code, "cudaEventQuery");
  return true;
}

void CudaEvent::synchronize() {
  check_cuda(cudaSetDevice(device_), "cudaSetDevice");
  check_cuda(cudaEventSynchronize(event_), "cudaEventSynchronize");
}

double CudaEvent::elapsed_ms(Event& earlier) {
  const auto* other = dynamic_cast<CudaEvent*>(&earlier);
  LOCKSTEP_CHECK(other != nullptr, "both events must be of the CUDA backend");
  float elapsed = 0;
  check_cuda(cudaEventElapsedTime(&elapsed, other->event_, event_), "cudaEventElapsedTime");
  return elapsed;
}

// On the device that the process chose, also from threads that never chose one (see CudaEvent).
CudaPinnedBuffer::CudaPinnedBuffer(std::size_t size_bytes, int device)
    : size_bytes_(size_bytes), device_(device) {
  check_cuda(cudaSetDevice(device_), "cudaSetDevice");
  void* data = nullptr;
  // Portable: readable by every context of the process, whichever thread asks.
  check_cuda(cudaHostAlloc(&data, size_bytes == 0 ? 1 : size_bytes, cudaHostAllocPortable),
             "cudaHostAlloc");
  data_ = static_cast<std::byte*>(data);
}

CudaPinnedBuffer::~CudaPinnedBuffer() {
  cudaSetDevice(device_);
  cudaFreeHost(data_);
}

}  // namespace lockstep::gpu
