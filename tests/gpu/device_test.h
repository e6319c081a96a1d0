// A fixture that skips with the driver's own reason where there is no device.
#pragma once

#include <lockstep/comm/world.h>
#include <lockstep/gpu/device.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace lockstep::test {

// Memory that kernels and NCCL can reach without linking CUDA into the test: page-locked host
// memory has one address for both sides.
class DeviceTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string reason;
    if (!gpu::cuda_device_present(&reason)) GTEST_SKIP() << reason;
    backend_ = &gpu::cuda_backend();
    backend_->set_device(0);
    stream_ = backend_->make_stream(false);
  }

  gpu::Backend& backend() { return *backend_; }
  comm::Device device() { return {backend_, 0}; }
  gpu::StreamHandle stream() { return stream_->handle(); }

  template <class T>
  std::unique_ptr<gpu::PinnedBuffer> make(const std::vector<T>& values) {
    auto buffer = backend_->make_pinned(values.size() * sizeof(T));
    std::copy(values.begin(), values.end(), reinterpret_cast<T*>(buffer->data()));
    return buffer;
  }
  template <class T>
  static std::vector<T> values(gpu::PinnedBuffer& buffer) {
    const auto* data = reinterpret_cast<const T*>(buffer.data());
    return {data, data + buffer.size_bytes() / sizeof(T)};
  }

 private:
  gpu::Backend* backend_ = nullptr;
  std::unique_ptr<gpu::Stream> stream_;
};

}  // namespace lockstep::test
