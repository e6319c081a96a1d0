// The table as a whole and the checks across modules.
#include "refusal.h"

#include <lockstep/config/settings.h>

#include <gmock/gmock.h>

#include <set>

namespace lockstep::config {
namespace {

TEST(Settings, DefaultsAreValid) { EXPECT_NO_THROW(validate(Settings{})); }

TEST(Settings, TheTableFillsTheStructItWasMadeFor) {
  Settings settings;
  const OptionTable table = make_table(settings);
  table.find("model.heads")->set("4");
  table.find("weights.strict")->set("false");
  table.find("eval.batch")->set("77");
  EXPECT_EQ(settings.model.heads, 4);
  EXPECT_FALSE(settings.weights.strict);
  EXPECT_EQ(settings.eval.batch, 77);
}

TEST(Settings, PrincipalNamesOfScriptsExist) {
  Settings settings;
  const OptionTable table = make_table(settings);
  for (const char* name : {"run.dir",
                           "run.seed",
                           "run.device",
                           "run.epochs",
                           "run.max_steps",
                           "run.max_seconds",
                           "data.train",
                           "data.val",
                           "data.reader",
                           "data.order",
                           "data.threads",
                           "data.image_key",
                           "data.label_key",
                           "data.last_batch",
                           "data.verify",
                           "model.name",
                           "model.image_size",
                           "model.patch_size",
                           "model.in_channels",
                           "model.num_classes",
                           "model.dim",
                           "model.depth",
                           "model.heads",
                           "model.mlp_ratio",
                           "model.pool",
                           "model.dropout",
                           "model.drop_path",
                           "model.layer_scale",
                           "train.accumulate",
                           "train.global_batch",
                           "train.batch_per_rank",
                           "optim.name",
                           "optim.lr",
                           "optim.weight_decay",
                           "optim.beta1",
                           "optim.beta2",
                           "optim.eps",
                           "optim.clip_norm",
                           "schedule.name",
                           "schedule.warmup_steps",
                           "schedule.min_lr",
                           "precision.compute",
                           "comm.backend",
                           "comm.bucket_mib",
                           "comm.wire",
                           "eval.every_epochs",
                           "eval.batch",
                           "telemetry.log_every",
                           "weights.init",
                           "weights.strict",
                           "weights.head",
                           "run.allow_gpu_sharing",
                           "run.determinism",
                           "parallel.digest_every"}) {
    EXPECT_NE(table.find(name), nullptr) << name;
  }
}

TEST(Settings, EveryOptionSaysWhatItMeansAndSectionsStandTogether) {
  Settings settings;
  const OptionTable table = make_table(settings);
  std::set<std::string> done;
  std::string section;
  for (const Option& option : table.options()) {
    EXPECT_GT(option.help.size(), 20U) << option.name();
    EXPECT_EQ(option.help.back(), '.') << option.name();
    EXPECT_EQ(option.help.find('\n'), std::string::npos) << option.name();
    if (option.section != section) {
      EXPECT_TRUE(done.insert(option.section).second) << option.section << " stands twice";
    }
    section = option.section;
  }
}

TEST(Settings, ModulesChecksAreMade) {
  Settings settings;
  settings.model.patch_size = 5;
  expect_refusal(ExitCode::kConfig, "model.patch_size = 5", [&] { validate(settings); });
  settings = {};
  settings.telemetry.log_every = 0;
  expect_refusal(ExitCode::kConfig, "telemetry.log_every", [&] { validate(settings); });
  settings = {};
  settings.eval.batch = -1;
  expect_refusal(ExitCode::kConfig, "eval.batch", [&] { validate(settings); });
  settings = {};
  settings.comm.bucket_mib = 0;
  expect_refusal(ExitCode::kConfig, "comm.bucket_mib", [&] { validate(settings); });
  settings = {};
  settings.data.threads = 0;
  expect_refusal(ExitCode::kConfig, "data.threads", [&] { validate(settings); });
}

TEST(Settings, NcclNeedsGpus) {
  Settings settings;
  settings.comm.backend = "nccl";
  EXPECT_NO_THROW(validate(settings));
  settings.run.device = "cpu";
  expect_refusal(ExitCode::kConfig, "comm.backend = nccl", [&] { validate(settings); });
}

TEST(Settings, AShiftLeavesSomethingOfTheImage) {
  Settings settings;
  settings.augment.shift_pixels = settings.model.image_size;
  expect_refusal(ExitCode::kConfig, "augment.shift_pixels", [&] { validate(settings); });
}

}  // namespace
}  // namespace lockstep::config
