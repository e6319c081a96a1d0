// Settings without effect: each is warned of by name, and a resolved configuration is silent.
#include "write_ini.h"

#include <lockstep/config/command_line.h>

#include <gmock/gmock.h>

namespace lockstep::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> warnings(std::vector<std::string> words) {
  words.insert(words.end(), {"--data.train", "t.h5"});
  return parse(words, {}).warnings;
}

TEST(Effect, NothingIsSaidOfDefaults) { EXPECT_THAT(warnings({}), IsEmpty()); }

TEST(Effect, LossScaleNeedsFp16) {
  EXPECT_THAT(warnings({"--precision.fp32_modules", "head"}),
              ElementsAre(HasSubstr("precision.fp32_modules = head (command line) has no effect")));
  EXPECT_THAT(warnings({"--precision.loss_scale", "1024"}),
              ElementsAre(HasSubstr("precision.loss_scale = 1024 (command line) has no effect")));
  EXPECT_THAT(warnings({"--precision.loss_scale", "1024", "--precision.compute", "fp16"}),
              IsEmpty());
}

TEST(Effect, HalfPrecisionOnACpuIsSlow) {
  EXPECT_THAT(warnings({"--run.device", "cpu", "--precision.compute", "bf16"}),
              ElementsAre(HasSubstr("slower than fp32 for models of small width")));
  EXPECT_THAT(warnings({"--run.device", "cpu", "--precision.compute", "fp16"}),
              ElementsAre(HasSubstr("several times slower")));
  EXPECT_THAT(warnings({"--precision.compute", "bf16"}), IsEmpty());
}

TEST(Effect, OptionsOfOtherOptimizers) {
  EXPECT_THAT(
      warnings({"--optim.nesterov", "true", "--optim.beta2", "0.95"}),
      ElementsAre(HasSubstr("optim.nesterov = true (command line) has no effect: optim.name is "
                            "adamw")));
  EXPECT_THAT(warnings({"--optim.name", "lion", "--optim.eps", "1e-6", "--optim.beta2", "0.95"}),
              ElementsAre(HasSubstr("optim.eps")));
  EXPECT_THAT(
      warnings({"--optim.name", "sgd", "--optim.momentum", "0", "--optim.dampening", "0.1"}),
      ElementsAre(HasSubstr("optim.name is sgd without optim.momentum")));
}

TEST(Effect, MinLrNeedsTheCosine) {
  EXPECT_THAT(warnings({"--schedule.min_lr", "1e-5", "--schedule.name", "constant"}),
              ElementsAre(HasSubstr("schedule.min_lr")));
  EXPECT_THAT(warnings({"--schedule.min_lr", "1e-5"}), IsEmpty());
}

TEST(Effect, OptionsOfOtherSchedules) {
  EXPECT_THAT(warnings({"--schedule.gamma", "0.5", "--schedule.period", "9"}),
              ElementsAre(HasSubstr("schedule.gamma = 0.5 (command line) has no effect: "
                                    "schedule.name is cosine"),
                          HasSubstr("schedule.period")));
  EXPECT_THAT(warnings({"--schedule.name", "step", "--schedule.step_size", "9"}), IsEmpty());
  EXPECT_THAT(warnings({"--optim.lr_base_batch", "512"}),
              ElementsAre(HasSubstr("optim.lr_rule is none")));
}

TEST(Effect, OrdersWithoutWindowsAndSkippingDecideByThemselves) {
  for (const char* order : {"global", "sequential"}) {
    EXPECT_THAT(warnings({"--data.order", order, "--data.window_chunks", "8"}),
                ElementsAre(HasSubstr("data.window_chunks")));
  }
  EXPECT_THAT(warnings({"--data.order", "window", "--data.window_chunks", "8"}), IsEmpty());
  EXPECT_THAT(warnings({"--data.on_broken", "skip", "--data.verify", "never"}),
              ElementsAre(HasSubstr("data.verify")));
}

TEST(Effect, EvaluationNeedsData) {
  EXPECT_THAT(warnings({"--eval.batch", "9", "--eval.every_epochs", "2"}),
              ElementsAre(HasSubstr("eval.every_epochs"), HasSubstr("eval.batch")));
  EXPECT_THAT(warnings({"--eval.batch", "9", "--data.val", "v.h5"}), IsEmpty());
}

TEST(Effect, BatchPerRankYieldsToGlobalBatch) {
  EXPECT_THAT(warnings({"--train.batch_per_rank", "9", "--train.global_batch", "64"}),
              ElementsAre(HasSubstr("train.global_batch is given")));
}

TEST(Effect, NaiveReaderHasNoThreads) {
  EXPECT_THAT(warnings({"--data.reader", "naive", "--data.threads", "3"}),
              ElementsAre(HasSubstr("data.threads")));
}

TEST(Effect, WeightsSettingsNeedAFile) {
  EXPECT_THAT(warnings({"--weights.head", "reset", "--no-weights.strict"}),
              ElementsAre(HasSubstr("weights.strict"), HasSubstr("weights.head")));
  EXPECT_THAT(warnings({"--weights.head", "reset", "--weights.init", "w"}), IsEmpty());
}

TEST(Effect, AugmentationNeedsWhatItBelongsTo) {
  EXPECT_THAT(warnings({"--augment.crop_area", "0.2,1"}), ElementsAre(HasSubstr("random_crop")));
  EXPECT_THAT(warnings({"--augment.crop_area", "0.2,1", "--augment.random_crop"}), IsEmpty());
  EXPECT_THAT(warnings({"--augment.randaugment_magnitude", "12"}),
              ElementsAre(HasSubstr("augment.randaugment_ops is 0")));
  EXPECT_THAT(warnings({"--augment.erase_fill", "noise"}),
              ElementsAre(HasSubstr("augment.erase_probability is 0")));
  EXPECT_THAT(warnings({"--augment.mix_probability", "0.5"}),
              ElementsAre(HasSubstr("augment.mix_probability")));
  EXPECT_THAT(warnings({"--augment.mix_switch_probability", "0.2", "--augment.mixup_alpha", "0.8"}),
              ElementsAre(HasSubstr("not both on")));
  EXPECT_THAT(warnings({"--augment.mix_switch_probability",
                        "0.2",
                        "--augment.mixup_alpha",
                        "0.8",
                        "--augment.cutmix_alpha",
                        "1"}),
              IsEmpty());
}

TEST(Effect, HueNeedsColour) {
  EXPECT_THAT(warnings({"--augment.hue", "0.1", "--model.in_channels", "1"}),
              ElementsAre(HasSubstr("model.in_channels is not 3")));
  EXPECT_THAT(warnings({"--augment.hue", "0.1", "--model.in_channels", "3"}), IsEmpty());
}

TEST(Effect, SharingAGpuNeedsOne) {
  EXPECT_THAT(warnings({"--run.allow_gpu_sharing", "--run.device", "cpu"}),
              ElementsAre(HasSubstr("run.allow_gpu_sharing")));
}

TEST(Effect, CtasNeedAGpu) {
  EXPECT_THAT(warnings({"--run.device", "cpu", "--comm.max_ctas", "4"}),
              ElementsAre(HasSubstr("comm.max_ctas = 4")));
  EXPECT_THAT(warnings({"--comm.max_ctas", "4"}), IsEmpty());
  EXPECT_THAT(warnings({"--comm.backend", "mpi", "--comm.stream_priority", "normal"}),
              ElementsAre(HasSubstr("comm.stream_priority = normal")));
}

TEST(Effect, ACpuRepeatsBitByBitAnyway) {
  EXPECT_THAT(warnings({"--run.device", "cpu", "--run.determinism", "bitwise"}),
              ElementsAre(HasSubstr("run.determinism = bitwise")));
  EXPECT_THAT(warnings({"--run.device", "cpu", "--run.determinism", "world"}), IsEmpty());
}

TEST(Effect, DetectorsAreNotTrainedYet) {
  EXPECT_THAT(warnings({"--detection.max_long_side", "900"}),
              ElementsAre(HasSubstr("detection.max_long_side = 900")));
}

TEST(Effect, AResolvedConfigurationIsSilent) {
  const TemporaryFolder folder;
  EXPECT_THAT(warnings({"--config", write_ini(folder, "r.ini", resolved_ini(Settings{}))}),
              IsEmpty());
}

TEST(Effect, OtherCommandsAreNotWarned) {
  const Command command{"eval", "eval", "", {}};
  const std::vector<std::string> words{"--precision.loss_scale", "1024"};
  EXPECT_THAT(parse(command, words, {}).warnings, IsEmpty());
}

}  // namespace
}  // namespace lockstep::config
