// A parameter that changes on one rank outside of the step ends the run at the next comparison.
#include "train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/test_world.h>

#include <algorithm>

namespace lockstep::train {
namespace {

using test::world;

// Grey images of 8 x 8 in 4 classes.
class GreyDataset final : public data::Dataset {
 public:
  GreyDataset() {
    info_.num_samples = 64;
    info_.height = info_.width = 8;
    info_.channels = 1;
    info_.image_mean = info_.image_std = {0.5};
    info_.classes = {"a", "b", "c", "d"};
  }
  const data::DatasetInfo& info() const override { return info_; }
  void read_pixels(std::int64_t index, std::span<std::byte> out, bool /*verify*/) const override {
    std::ranges::fill(out, static_cast<std::byte>(index * 3));
  }
  std::int64_t label(std::int64_t index) const override { return index % 4; }
  std::int64_t sample_id(std::int64_t index) const override { return index; }

 private:
  data::DatasetInfo info_;
};

Settings tiny_settings() {
  Settings settings;
  settings.run.device = "cpu";
  settings.run.epochs = 10;
  settings.model.image_size = 8;
  settings.model.patch_size = 4;
  settings.model.in_channels = 1;
  settings.model.num_classes = 4;
  settings.model.dim = 8;
  settings.model.depth = 1;
  settings.model.heads = 2;
  settings.train.batch_per_rank = 2;
  settings.parallel.digest_every = 3;
  return settings;
}

TEST(Replicas, AParameterThatChangesOnOneRankEndsTheRun) {
  if (world().size() == 1) GTEST_SKIP() << "needs two ranks";
  const Settings settings = tiny_settings();
  const comm::Device device{&gpu::host_backend(), 0};
  comm::Mesh mesh = world().open_mesh(settings.comm, device, false);
  Position position;
  Job job{world(), mesh, device, settings, "", "", position};
  const auto session = open_session(job, std::make_unique<GreyDataset>());
  Trainer trainer(job, *session, [](const StepFigures&) {});
  for (int i = 0; i < 4; ++i) trainer.step();  // equal ranks pass the comparison after step 3
  if (world().rank() == 1) session->arena->parameters()[5] += 1e-6;
  trainer.step();
  try {
    trainer.step();
    FAIL() << "nothing was said after step 6";
  } catch (const comm::AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::kDiverged);
    EXPECT_THAT(error.what(), testing::HasSubstr("after step 6"));
  }
}

}  // namespace
}  // namespace lockstep::train
