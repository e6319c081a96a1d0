#include "effect.h"

#include <lockstep/base/format.h>

#include <algorithm>
#include <array>

namespace lockstep::config {
namespace {

constexpr std::array kOfNccl = {"comm.max_ctas", "comm.stream_priority"};

class Findings {
 public:
  Findings(const OptionTable& table, const std::vector<Origin>& origins)
      : table_(table), origins_(origins) {}

  void add(const std::string& line) { lines_.push_back(line); }

  // Warns when `name` was given a value other than the default although `because` makes it void.
  void no_effect(const std::string& name, const std::string& because) {
    const auto& options = table_.options();
    for (std::size_t i = 0; i < options.size(); ++i) {
      if (options[i].name() != name || origins_[i].source == Source::kDefault) continue;
      const std::string value = options[i].get();
      if (value == options[i].default_text) continue;
      add(format("{} = {} ({}) has no effect: {}", name, value, origins_[i].where, because));
    }
  }

  std::vector<std::string> take() { return std::move(lines_); }

 private:
  const OptionTable& table_;
  const std::vector<Origin>& origins_;
  std::vector<std::string> lines_;
};

void look_at_precision(const Settings& settings, Findings& findings) {
  const std::string& compute = settings.precision.compute;
  if (compute == "fp32") {
    findings.no_effect("precision.fp32_modules", "precision.compute is fp32");
  }
  if (compute != "fp16") {
    const std::string because = "precision.compute is " + compute + ", not fp16";
    findings.no_effect("precision.loss_scale", because);
    findings.no_effect("precision.scale_growth_steps", because);
    findings.no_effect("precision.scale_growth", because);
    findings.no_effect("precision.scale_backoff", because);
  }
  if (settings.run.device != "cpu") return;
  if (compute == "bf16") {
    findings.add(
        "precision.compute = bf16 on a CPU is slower than fp32 for models of small width: measure "
        "both with `lockstep bench step`");
  } else if (compute == "fp16") {
    findings.add("precision.compute = fp16 on a CPU is several times slower than fp32");
  }
}

void look_at_optimizer(const Settings& settings, Findings& findings) {
  const optim::Description& description = optim::describe(settings.optim);
  for (const std::string_view key : optim::particular_keys()) {
    if (std::ranges::find(description.keys, key) != description.keys.end()) continue;
    const bool needs_momentum =
        description.rule == optim::Rule::kSgd && (key == "dampening" || key == "nesterov");
    findings.no_effect(
        format("optim.{}", key),
        "optim.name is " + settings.optim.name + (needs_momentum ? " without optim.momentum" : ""));
  }
  if (settings.optim.lr_rule == "none") {
    findings.no_effect("optim.lr_base_batch", "optim.lr_rule is none");
  }
  if (settings.optim.ema_decay == 0) {
    findings.no_effect("optim.ema_warmup", "optim.ema_decay is 0");
    findings.no_effect("eval.ema", "optim.ema_decay is 0");
  }
}

void look_at_schedule(const Settings& settings, const OptionTable& table, Findings& findings) {
  const std::vector<std::string_view>& keys = optim::keys_of(settings.schedule);
  for (const Option& option : table.options()) {
    const bool common = option.key == "name" || option.key == "warmup_steps";
    if (option.section != "schedule" || common) continue;
    if (std::ranges::find(keys, option.key) != keys.end()) continue;
    findings.no_effect(option.name(), "schedule.name is " + settings.schedule.name);
  }
}

void look_at_data(const Settings& settings, Findings& findings) {
  if (settings.data.val.empty()) {
    findings.no_effect("eval.every_epochs", "data.val is empty");
    findings.no_effect("eval.batch", "data.val is empty");
    findings.no_effect("eval.ema", "data.val is empty");
  }
  if (settings.data.order == "global" || settings.data.order == "sequential") {
    findings.no_effect("data.window_chunks", "data.order is " + settings.data.order);
  }
  if (settings.data.on_broken == "skip") {
    findings.no_effect("data.verify", "data.on_broken is skip, which checks every read");
  }
  if (settings.data.reader == "naive") {
    findings.no_effect("data.threads", "data.reader is naive");
    findings.no_effect("data.prefetch", "data.reader is naive");
  }
}

void look_at_augment(const Settings& settings, Findings& findings) {
  const augment::Options& augment = settings.augment;
  if (!augment.random_crop) {
    findings.no_effect("augment.crop_area", "augment.random_crop is off");
    findings.no_effect("augment.crop_ratio", "augment.random_crop is off");
  }
  if (settings.model.in_channels != 3) {
    findings.no_effect("augment.saturation", "model.in_channels is not 3");
    findings.no_effect("augment.hue", "model.in_channels is not 3");
  }
  if (augment.randaugment_ops == 0) {
    findings.no_effect("augment.randaugment_magnitude", "augment.randaugment_ops is 0");
  }
  if (augment.erase_probability == 0) {
    const char* const because = "augment.erase_probability is 0";
    findings.no_effect("augment.erase_area", because);
    findings.no_effect("augment.erase_ratio", because);
    findings.no_effect("augment.erase_fill", because);
  }
  if (!augment.mixes()) {
    findings.no_effect("augment.mix_probability",
                       "augment.mixup_alpha and augment.cutmix_alpha are 0");
  }
  if (augment.mixup_alpha == 0 || augment.cutmix_alpha == 0) {
    findings.no_effect("augment.mix_switch_probability",
                       "MixUp and CutMix are not both on (augment.mixup_alpha, "
                       "augment.cutmix_alpha)");
  }
}

}  // namespace

std::vector<std::string> find_warnings(const Settings& settings,
                                       const OptionTable& table,
                                       const std::vector<Origin>& origins) {
  Findings findings(table, origins);
  look_at_data(settings, findings);
  if (settings.train.global_batch > 0) {
    findings.no_effect("train.batch_per_rank", "train.global_batch is given");
  }
  look_at_optimizer(settings, findings);
  look_at_schedule(settings, table, findings);
  look_at_precision(settings, findings);
  look_at_augment(settings, findings);
  if (settings.weights.init.empty()) {
    findings.no_effect("weights.strict", "weights.init is empty");
    findings.no_effect("weights.head", "weights.init is empty");
  }
  if (settings.run.device == "cpu") {
    findings.no_effect("run.allow_gpu_sharing", "run.device is cpu");
    for (const char* name : kOfNccl) findings.no_effect(name, "run.device is cpu");
    if (settings.run.determinism == "bitwise") {
      findings.no_effect("run.determinism", "a run on the CPU repeats bit by bit anyway");
    }
  }
  if (settings.comm.backend == "mpi") {
    for (const char* name : kOfNccl) findings.no_effect(name, "comm.backend is mpi");
  }
  for (const Option& option : table.options()) {
    if (option.section == "detection") {
      findings.no_effect(option.name(), "training of detectors is not in this version");
    }
  }
  return findings.take();
}

}  // namespace lockstep::config
