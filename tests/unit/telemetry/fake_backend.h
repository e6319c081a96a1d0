// A device whose clock and samples the test sets.
#pragma once

#include <lockstep/base/error.h>
#include <lockstep/gpu/device.h>

#include <atomic>
#include <memory>
#include <optional>

namespace lockstep::telemetry {

class FakeBackend final : public gpu::Backend {
 public:
  double device_ms = 0;   // where work that is put on the device now will be
  double reached_ms = 0;  // what the device has done
  std::atomic<int> num_synchronised{0};
  std::atomic<int> num_samples{0};
  bool cuda = true;
  bool samples_fail = false;
  std::optional<gpu::DeviceSample> next_sample;

  bool is_cuda() const override { return cuda; }
  int device_count() override { return 1; }
  gpu::DeviceInfo info(int) override { return {}; }
  void set_device(int) override {}
  std::unique_ptr<gpu::Stream> make_stream(bool) override { return nullptr; }
  std::unique_ptr<gpu::Event> make_event(bool) override { return std::make_unique<Point>(*this); }
  std::unique_ptr<gpu::PinnedBuffer> make_pinned(std::size_t) override { return nullptr; }
  void copy_to_device_async(void*, const void*, std::size_t, gpu::StreamHandle) override {}
  void copy_to_host_async(void*, const void*, std::size_t, gpu::StreamHandle) override {}
  void synchronize(gpu::StreamHandle) override { ++num_synchronised; }
  gpu::StreamHandle compute_stream() override { return {}; }
  std::optional<gpu::DeviceSample> sample(int) override {
    ++num_samples;
    if (samples_fail) throw unavailable_error("the device fell off the bus");
    return next_sample;
  }
  void push_range(const char*) override {}
  void pop_range() override {}

 private:
  class Point final : public gpu::Event {
   public:
    explicit Point(FakeBackend& backend) : backend_(backend) {}
    void record(gpu::StreamHandle) override { at_ms_ = backend_.device_ms; }
    void make_wait(gpu::StreamHandle) override {}
    bool done() override { return at_ms_ <= backend_.reached_ms; }
    void synchronize() override { ++backend_.num_synchronised; }
    double elapsed_ms(gpu::Event& earlier) override {
      return at_ms_ - dynamic_cast<Point&>(earlier).at_ms_;
    }

   private:
    FakeBackend& backend_;
    double at_ms_ = 0;
  };
};

}  // namespace lockstep::telemetry
