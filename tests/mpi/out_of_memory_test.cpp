// One rank runs out of memory in forward, in backward or where a block runs again: all ranks leave
// with its words, or drop the step and do it again in smaller micro-batches, with the same result.
#include "train/trainer.h"

#include <lockstep/base/error.h>

#include <ATen/core/Tensor.h>
#include <c10/core/Allocator.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/test_world.h>
#include <torch/csrc/autograd/graph_task.h>

#include <algorithm>
#include <array>
#include <new>
#include <string>

namespace lockstep::train {
namespace {

using test::world;

enum class Moment { kNever, kForward, kBackward, kSecondRun };

Moment now() {
  if (torch::autograd::get_current_graph_task_id() == -1) return Moment::kForward;
  return c10::GradMode::is_enabled() ? Moment::kSecondRun : Moment::kBackward;
}

// In front of LibTorch's allocator: fails once, at the tenth allocation of a moment.
class FailingAllocator final : public c10::Allocator {
 public:
  explicit FailingAllocator(c10::Allocator& inner) : inner_(inner) {}
  void arm(Moment moment) {
    moment_ = moment;
    left_ = 10;
  }
  bool armed() const { return moment_ != Moment::kNever; }

  c10::DataPtr allocate(std::size_t count) override {
    if (armed() && now() == moment_ && --left_ == 0) {
      moment_ = Moment::kNever;
      throw std::bad_alloc();
    }
    return inner_.allocate(count);
  }
  c10::DeleterFnPtr raw_deleter() const override { return inner_.raw_deleter(); }
  void copy_data(void* to, const void* from, std::size_t count) const override {
    inner_.copy_data(to, from, count);
  }

 private:
  c10::Allocator& inner_;
  Moment moment_ = Moment::kNever;
  int left_ = 0;
};

FailingAllocator& allocator() {
  static FailingAllocator* const made = [] {
    auto* const failing = new FailingAllocator(*c10::GetAllocator(c10::kCPU));
    c10::SetAllocator(c10::kCPU, failing);
    return failing;
  }();
  return *made;
}

// Grey images of 8 x 8 in 4 classes.
class GreyDataset final : public data::Dataset {
 public:
  GreyDataset() {
    info_.num_samples = 90;  // the last step of an epoch is padded
    info_.height = info_.width = 8;
    info_.channels = 1;
    info_.image_mean = info_.image_std = {0.5};
    info_.classes = {"a", "b", "c", "d"};
  }
  const data::DatasetInfo& info() const override { return info_; }
  void read_pixels(std::int64_t index, std::span<std::byte> out, bool /*verify*/) const override {
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<std::byte>(static_cast<std::size_t>(index * 7) * (i + 1));
    }
  }
  std::int64_t label(std::int64_t index) const override { return index % 4; }
  std::int64_t sample_id(std::int64_t index) const override { return index; }

 private:
  data::DatasetInfo info_;
};

Settings tiny_settings() {
  Settings settings;
  settings.run.device = "cpu";
  settings.run.epochs = 4;
  settings.model.image_size = 8;
  settings.model.patch_size = 4;
  settings.model.in_channels = 1;
  settings.model.num_classes = 4;
  settings.model.dim = 16;
  settings.model.depth = 3;
  settings.model.heads = 2;
  settings.model.dropout = 0.1;
  settings.train.batch_per_rank = 4;
  settings.train.accumulate = 2;
  settings.memory.recompute = "every:1";
  settings.comm.first_bucket_mib = 0.001;
  settings.comm.bucket_mib = 0.01;
  return settings;
}

constexpr std::int64_t kFailingStep = 4;

// `steps` steps; in step kFailingStep the last rank is out of memory at `moment`.
std::vector<StepFigures> train(const Settings& settings, Moment moment, std::int64_t steps = 8) {
  const comm::Device device{&gpu::host_backend(), 0};
  comm::Mesh mesh = world().open_mesh(settings.comm, device, false);
  Position position;
  Job job{world(), mesh, device, settings, "", "", position};
  const auto session = open_session(job, std::make_unique<GreyDataset>());
  std::vector<StepFigures> seen;
  Trainer trainer(job, *session, [&](const StepFigures& figures) { seen.push_back(figures); });
  for (std::int64_t step = 1; step <= steps; ++step) {
    const bool fails = step == kFailingStep && world().rank() == world().size() - 1;
    allocator().arm(fails ? moment : Moment::kNever);
    trainer.step();
    EXPECT_FALSE(allocator().armed()) << "nothing failed";
  }
  trainer.drain();
  EXPECT_EQ(session->parts, moment == Moment::kNever ? 1 : 2) << "alike on all ranks";
  return seen;
}

void expect_same(const std::vector<StepFigures>& found, const std::vector<StepFigures>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].step, expected[i].step);
    EXPECT_EQ(found[i].epoch, expected[i].epoch);
    EXPECT_EQ(found[i].images, expected[i].images);
    const double tolerance = found[i].step < kFailingStep ? 0 : 1e-4;
    EXPECT_NEAR(found[i].loss, expected[i].loss, tolerance * expected[i].loss) << found[i].step;
    EXPECT_NEAR(found[i].grad_norm, expected[i].grad_norm, tolerance * expected[i].grad_norm);
  }
}

constexpr std::array kMoments{Moment::kForward, Moment::kBackward, Moment::kSecondRun};

TEST(OutOfMemory, TheStepIsDoneAgainInSmallerMicroBatches) {
  for (const std::int64_t zero : {0, 1}) {
    Settings settings = tiny_settings();
    settings.parallel.zero = zero;
    settings.memory.on_oom = "shrink";
    const std::vector<StepFigures> expected = train(settings, Moment::kNever);
    for (const Moment moment : kMoments) expect_same(train(settings, moment), expected);
  }
}

TEST(OutOfMemory, WithoutShrinkAllRanksLeaveWithOneMessage) {
  for (const Moment moment : kMoments) {
    try {
      train(tiny_settings(), moment);
      ADD_FAILURE() << "the run went on";
    } catch (const comm::AgreedError& error) {
      EXPECT_EQ(error.code(), ExitCode::kOutOfMemory);
      EXPECT_EQ(error.rank(), world().size() - 1);
      EXPECT_THAT(error.what(), testing::HasSubstr("out of memory"));
    }
  }
}

TEST(MemoryBudget, RanksChooseAlike) {
  Settings settings = tiny_settings();
  settings.model.dim = 64;
  settings.train.batch_per_rank = 16;
  settings.memory.recompute = kBudget;
  settings.memory.limit_mib = 5;
  const comm::Device device{&gpu::host_backend(), 0};
  comm::Mesh mesh = world().open_mesh(settings.comm, device, false);
  Position position;
  Job job{world(), mesh, device, settings, "", "", position};
  const auto session = open_session(job, std::make_unique<GreyDataset>());
  const std::string choice =
      std::to_string(session->parts) + " " + models::recompute_text(session->recompute);
  EXPECT_NO_THROW(comm::agree_on(world(), {{"the choice", choice}}));
  Trainer trainer(job, *session, [](const StepFigures& figures) {
    EXPECT_LE(figures.memory_peak_bytes(), 5 << 20);
  });
  for (int i = 0; i < 2; ++i) trainer.step();
}

}  // namespace
}  // namespace lockstep::train
