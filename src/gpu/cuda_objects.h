// Streams, events and pinned memory of the CUDA runtime, each owning its handle.
#pragma once

#include <lockstep/gpu/device.h>

#include <cuda_runtime_api.h>

namespace lockstep::gpu {

inline cudaStream_t native(StreamHandle stream) { return static_cast<cudaStream_t>(stream.native); }

class CudaStream final : public Stream {
 public:
  explicit CudaStream(bool high_priority);
  ~CudaStream() override;
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;
  StreamHandle handle() const override { return {stream_}; }

 private:
  cudaStream_t stream_ = nullptr;
};

class CudaEvent final : public Event {
 public:
  explicit CudaEvent(bool timing);
  ~CudaEvent() override;
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;
  void record(StreamHandle stream) override;
  void make_wait(StreamHandle stream) override;
  bool done() override;
  void synchronize() override;
  double elapsed_ms(Event& earlier) override;

 private:
  cudaEvent_t event_ = nullptr;
  int device_ = 0;  // where it was made
};

class CudaPinnedBuffer final : public PinnedBuffer {
 public:
  CudaPinnedBuffer(std::size_t size_bytes, int device);
  ~CudaPinnedBuffer() override;
  CudaPinnedBuffer(const CudaPinnedBuffer&) = delete;
  CudaPinnedBuffer& operator=(const CudaPinnedBuffer&) = delete;
  std::byte* data() override { return data_; }
  std::size_t size_bytes() const override { return size_bytes_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_bytes_;
  int device_;
};

}  // namespace lockstep::gpu
