#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/optim/options.h>

namespace lockstep::optim {
namespace {

void bind_lr_rule(OptionTable& table, Options& options) {
  table.add(
      "optim",
      "lr_rule",
      options.lr_rule,
      "How the peak rate follows the images of a step (all ranks and micro-batches). none: it "
      "is optim.lr. linear: optim.lr x images / optim.lr_base_batch, usual for sgd. sqrt: "
      "with the root of that ratio, usual for Adam's kin.",
      {"none", "linear", "sqrt"});
  table.add("optim",
            "lr_base_batch",
            options.lr_base_batch,
            "images",
            "Images a step for which optim.lr was chosen. No effect without optim.lr_rule.");
}

void bind_moments(OptionTable& table, Options& options) {
  table.add("optim",
            "beta1",
            options.beta1,
            "",
            "Decay of the running mean of gradients, 0 to below 1. -1: the usual one (adamw, adam, "
            "lion 0.9; adan 0.98).");
  table.add("optim",
            "beta2",
            options.beta2,
            "",
            "adamw, adam: decay of the running mean of squared gradients; lower reacts faster to "
            "gradients that change in size. lion: decay of the mean that is kept. adan: of the "
            "mean difference of gradients. -1: the usual one (0.999; lion 0.99; adan 0.92).");
  table.add("optim",
            "beta3",
            options.beta3,
            "",
            "adan: decay of the running mean of squares. -1: the usual one (0.99).");
  table.add("optim",
            "eps",
            options.eps,
            "",
            "Added to the root of the squared mean before dividing; keeps tiny gradients from "
            "becoming large steps.");
}

void bind_momentum(OptionTable& table, Options& options) {
  table.add("optim",
            "momentum",
            options.momentum,
            "",
            "sgd: share of the last step that goes on, 0 to below 1. 0: plain SGD, without state.");
  table.add("optim",
            "dampening",
            options.dampening,
            "",
            "sgd: the gradient enters the momentum times 1 - dampening, but for the first one.");
  table.add("optim",
            "nesterov",
            options.nesterov,
            "sgd: look ahead by one step of the momentum (Nesterov, as PyTorch does it).");
}

void check_share(const char* key, double value) {
  if (value < 0 || value >= 1) {
    throw config_error(format("optim.{} = {} is outside 0 to below 1", key, value));
  }
}

void check_beta(const char* key, double value) {
  if (value != kUsual) check_share(key, value);
}

void check_momentum(const Options& options) {
  check_share("momentum", options.momentum);
  check_share("dampening", options.dampening);
  if (options.name != "sgd" || !options.nesterov) return;
  if (options.momentum == 0 || options.dampening != 0) {
    throw config_error(
        format("optim.nesterov needs momentum and no dampening, but optim.momentum = {} and "
               "optim.dampening = {}: set them to 0.9 and 0",
               options.momentum,
               options.dampening));
  }
}

void check_not_negative(const char* name, double value) {
  if (value < 0) throw config_error(format("{} = {} is negative: write 0 or more", name, value));
}

}  // namespace

void bind_options(OptionTable& table, Options& options) {
  table.add("optim",
            "name",
            options.name,
            "Optimizer; bytes of state a parameter. adamw: Adam with decoupled weight decay, 8. "
            "adam: with the decay in the gradient, 8. sgd: with momentum, 4. lion: the sign of a "
            "mean, 4; takes a tenth of AdamW's lr. adan: Nesterov's momentum by differences of "
            "gradients, 16.",
            optimizer_names());
  table.add("optim",
            "lr",
            options.lr,
            "",
            "Peak learning rate, reached after the warm-up; optim.lr_rule says of how many images "
            "a step.");
  bind_lr_rule(table, options);
  table.add("optim",
            "weight_decay",
            options.weight_decay,
            "",
            "Decay of the weights: decoupled from the gradient with adamw, lion and adan, added to "
            "it with adam and sgd. Norms, biases, tokens and positions do not decay.");
  bind_moments(table, options);
  bind_momentum(table, options);
  table.add("optim",
            "clip_norm",
            options.clip_norm,
            "",
            "Scales the gradient of a step down to this global norm when it is larger. 0: off. "
            "Costs nothing: the norm is taken anyway.");
}

void bind_options(OptionTable& table, PrecisionOptions& options) {
  table.add("precision",
            "compute",
            options.compute,
            "Number format of matrix products; weights stay fp32. bf16: fast on sm_80 and newer; "
            "on a CPU slower than fp32 for small widths. fp16: for older GPUs, with loss scaling.",
            {"fp32", "bf16", "fp16"});
  table.add("precision",
            "loss_scale",
            options.loss_scale,
            "",
            "First factor on the loss under fp16; halved at a step that overflows, which is then "
            "dropped. No effect with fp32 and bf16.");
  table.add("precision",
            "scale_growth_steps",
            options.scale_growth_steps,
            "steps",
            "Steps without overflow after which the loss scale doubles. fp16 only.");
}

void validate(const Options& options) {
  check_not_negative("optim.lr", options.lr);
  check_not_negative("optim.weight_decay", options.weight_decay);
  check_not_negative("optim.clip_norm", options.clip_norm);
  check_beta("beta1", options.beta1);
  check_beta("beta2", options.beta2);
  check_beta("beta3", options.beta3);
  check_momentum(options);
  if (options.eps <= 0) {
    throw config_error(format("optim.eps = {} is not positive: 1e-8 is usual", options.eps));
  }
  if (options.lr_base_batch < 1) {
    throw config_error(format("optim.lr_base_batch = {} is not positive: 256 images are usual",
                              options.lr_base_batch));
  }
}

void validate(const PrecisionOptions& options) {
  if (options.loss_scale < 1) {
    throw config_error(
        format("precision.loss_scale = {} is below 1: 65536 is usual", options.loss_scale));
  }
  if (options.scale_growth_steps < 1) {
    throw config_error(format("precision.scale_growth_steps = {} is not positive: 2000 is usual",
                              options.scale_growth_steps));
  }
}

}  // namespace lockstep::optim
