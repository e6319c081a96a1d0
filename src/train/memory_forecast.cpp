#include "memory_forecast.h"

#include "memory_watch.h"
#include "micro_forward.h"

#include <lockstep/base/error.h>

#include <ATen/ops/arange.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <mutex>

namespace lockstep::train {
namespace {

// One image would make dimensions of size 1, for which LibTorch takes other ways.
constexpr std::int64_t kFewImages = 2;
// Of the arenas: parameters and gradients, both fp32.
constexpr std::int64_t kBytesPerElement = 8;

class CurveRecorder final : public c10::MemoryReportingInfoBase {
 public:
  explicit CurveRecorder(c10::DeviceType device) : device_(device) {}

  void reportMemoryUsage(void* /*block*/,
                         std::int64_t size_bytes,
                         std::size_t /*allocated*/,
                         std::size_t /*reserved*/,
                         c10::Device device) override {
    if (device.type() != device_) return;
    const std::lock_guard lock(mutex_);
    live_ += size_bytes;
    curve_.points.push_back(live_);
  }
  bool memoryProfilingEnabled() const override { return true; }

  void begin_backward() {
    const std::lock_guard lock(mutex_);
    curve_.backward_begin = curve_.points.size();
  }
  LiveCurve take() { return std::move(curve_); }

 private:
  c10::DeviceType device_;
  std::mutex mutex_;  // backward may run on a thread of the device
  std::int64_t live_ = 0;
  LiveCurve curve_;
};

augment::DeviceBatch first_images(const augment::DeviceBatch& inputs, std::int64_t images) {
  const at::Tensor rows = at::arange(images, at::kLong).remainder(inputs.images.size(0));
  const auto take = [&rows](const at::Tensor& x) {
    return x.defined() ? x.index_select(0, rows.to(x.device())) : x;
  };
  augment::DeviceBatch out = inputs;
  for (at::Tensor* tensor :
       {&out.images, &out.labels, &out.weights, &out.labels_b, &out.lambda, &out.sample_ids}) {
    *tensor = take(*tensor);
  }
  return out;
}

std::int64_t highest(const LiveCurve& curve, std::size_t begin, std::size_t end) {
  std::int64_t peak = 0;
  for (std::size_t i = begin; i < end; ++i) peak = std::max(peak, curve.points[i]);
  return peak;
}

std::int64_t on_line(const LiveCurve& a,
                     std::int64_t at_a,
                     const LiveCurve& b,
                     std::int64_t at_b,
                     std::int64_t images) {
  return at_a + (at_b - at_a) * (images - a.images) / (b.images - a.images);
}

PassPeaks peaks_of(const LiveCurve& curve) {
  return {highest(curve, 0, curve.backward_begin),
          highest(curve, curve.backward_begin, curve.points.size())};
}

}  // namespace

LiveCurve record_pass(Job& job,
                      Session& session,
                      const augment::DeviceBatch& inputs,
                      std::int64_t images) {
  const augment::DeviceBatch few = first_images(inputs, images);
  const auto recorder = std::make_shared<CurveRecorder>(torch_device(job.device).type());
  {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, recorder);
    const at::Tensor logits = forward_model(*session.model, job.settings, few, 1);
    at::Tensor loss = loss_of(job.settings, logits, few, 1).loss;
    recorder->begin_backward();
    loss.backward();
  }
  LiveCurve curve = recorder->take();
  curve.images = images;
  return curve;
}

PassPeaks extrapolate(const LiveCurve& a, const LiveCurve& b, std::int64_t images) {
  LOCKSTEP_CHECK(a.images != b.images, "two points make a line");
  if (a.points.size() != b.points.size() || a.backward_begin != b.backward_begin) {
    const PassPeaks of_a = peaks_of(a);
    const PassPeaks of_b = peaks_of(b);
    return {on_line(a, of_a.forward, b, of_b.forward, images),
            on_line(a, of_a.backward, b, of_b.backward, images)};
  }
  LiveCurve all = a;
  for (std::size_t i = 0; i < a.points.size(); ++i) {
    all.points[i] = on_line(a, a.points[i], b, b.points[i], images);
  }
  return peaks_of(all);
}

PassPeaks probe_pass(Job& job,
                     Session& session,
                     const augment::DeviceBatch& inputs,
                     std::int64_t images) {
  if (images <= kFewImages + 1) return peaks_of(record_pass(job, session, inputs, images));
  const LiveCurve few = record_pass(job, session, inputs, kFewImages);
  return extrapolate(few, record_pass(job, session, inputs, kFewImages + 1), images);
}

std::int64_t MemoryForecast::peak_bytes() const { return std::ranges::max(peaks); }

std::int64_t state_bytes(const Session& session) {
  return session.arena->layout().total * kBytesPerElement + session.optimizer->state_bytes() +
         session.reducer->bytes();
}

MemoryForecast forecast_memory(Job& job, Session& session, const data::Batch& batch) {
  MemoryForecast forecast;
  forecast.state_bytes = state_bytes(session);
  if (job.settings.run.determinism == "world") {  // the levels of train::TreeSum
    const auto blocks = static_cast<std::uint64_t>(job.settings.train.accumulate);
    forecast.state_bytes += std::countr_zero(blocks) * session.arena->layout().total * 4;
  }
  augment::DeviceBatch inputs;
  std::int64_t feed_peak = 0;
  {
    MemoryWatch watch(torch_device(job.device).type(), 0);
    // Feeders keep more than one batch in turn.
    inputs = session.feeder->feed(batch);
    inputs = session.feeder->feed(batch);
    feed_peak = watch.peak_bytes();
    watch.restart();
    forecast.input_bytes = watch.peak_bytes();
  }
  const PassPeaks pass = probe_pass(job, session, inputs, batch.batch / session.parts);
  const std::int64_t before = forecast.state_bytes + forecast.input_bytes;
  forecast.peaks = {std::max(forecast.state_bytes + feed_peak, before + pass.forward),
                    before + pass.backward,
                    before};
  return forecast;
}

}  // namespace lockstep::train
