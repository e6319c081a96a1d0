// A CUDA device as far as comm can tell: host memory, with a count and identities of the test's
// choosing.
#pragma once

#include <lockstep/gpu/device.h>

#include <string>

namespace lockstep::test {

class FakeBackend final : public gpu::Backend {
 public:
  // Device i has the identity uuid_prefix followed by i.
  FakeBackend(int devices, std::string uuid_prefix)
      : devices_(devices), uuid_prefix_(std::move(uuid_prefix)) {}

  int current() const { return current_; }
  bool is_cuda() const override { return true; }
  int device_count() override { return devices_; }
  gpu::DeviceInfo info(int index) override {
    gpu::DeviceInfo info;
    info.index = index;
    info.uuid = uuid_prefix_ + std::to_string(index);
    return info;
  }
  void set_device(int index) override { current_ = index; }
  std::unique_ptr<gpu::Stream> make_stream(bool high_priority) override {
    return host().make_stream(high_priority);
  }
  std::unique_ptr<gpu::Event> make_event(bool timing) override { return host().make_event(timing); }
  std::unique_ptr<gpu::PinnedBuffer> make_pinned(std::size_t size_bytes) override {
    return host().make_pinned(size_bytes);
  }
  void copy_to_device_async(void* to,
                            const void* from,
                            std::size_t size_bytes,
                            gpu::StreamHandle stream) override {
    host().copy_to_device_async(to, from, size_bytes, stream);
  }
  void copy_to_host_async(void* to,
                          const void* from,
                          std::size_t size_bytes,
                          gpu::StreamHandle stream) override {
    host().copy_to_host_async(to, from, size_bytes, stream);
  }
  void synchronize(gpu::StreamHandle stream) override { host().synchronize(stream); }
  gpu::StreamHandle compute_stream() override { return {}; }
  std::optional<gpu::DeviceSample> sample(int /*index*/) override { return std::nullopt; }
  void push_range(const char* /*name*/) override {}
  void pop_range() override {}

 private:
  static gpu::Backend& host() { return gpu::host_backend(); }

  int devices_;
  std::string uuid_prefix_;
  int current_ = -1;
};

}  // namespace lockstep::test
