#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/optim/options.h>
#include <lockstep/optim/patterns.h>

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

void bind_clipping(OptionTable& table, Options& options) {
  table.add("optim",
            "clip_norm",
            options.clip_norm,
            "",
            "Scales the gradient of a step down to this global norm when it is larger. 0: off. "
            "Costs nothing: the norm is taken anyway. One way of clipping at a time.");
  table.add("optim",
            "clip_value",
            options.clip_value,
            "",
            "Cuts each element of the gradient to this size. 0: off. Costs nothing.");
  table.add("optim",
            "clip_agc",
            options.clip_agc,
            "",
            "Adaptive clipping: the gradient of each row is at most this share of the row's norm; "
            "the head is left out, as in timm. 0.01 is usual, 0: off. One more pass over gradients "
            "and parameters; needs whole rows, so not with parallel.zero.");
  table.add("optim",
            "centralize",
            options.centralize,
            "Gradient centralisation: each row's mean is taken from its gradient, of parameters "
            "of two and more dimensions. One more pass over gradients; not with parallel.zero.");
}

void bind_groups(OptionTable& table, Options& options) {
  table.add("optim",
            "lr_factors",
            options.lr_factors,
            "Factors of the learning rate by parameter name: PATTERN:FACTOR, PATTERN:FACTOR. A "
            "pattern is a glob in which * stands for any characters, dots too; the last one that "
            "matches counts.");
  table.add("optim",
            "decay_factors",
            options.decay_factors,
            "Factors of the weight decay by parameter name, as optim.lr_factors; a parameter that "
            "does not decay by itself then does.");
  table.add("optim",
            "layer_decay",
            options.layer_decay,
            "",
            "Factor of the learning rate from each layer to the one below it, for fine-tuning: the "
            "head has 1, then the blocks downwards, at last the patch embedding with tokens and "
            "positions, as timm's. 0.65 to 0.8 is usual, 1: off.");
  table.add("optim",
            "freeze",
            options.freeze,
            "Globs, separated by commas, of parameters that are not trained: they take no part in "
            "backward, reduction, optimizer and its memory.");
}

void bind_average(OptionTable& table, Options& options) {
  table.add("optim",
            "ema_decay",
            options.ema_decay,
            "",
            "Keeps an exponential average of the weights with this decay a step, in the same pass: "
            "evaluated with eval.ema, saved as ema.safetensors. 0.9999 is usual for long runs, 0: "
            "off. 4 bytes a parameter.");
  table.add("optim",
            "ema_warmup",
            options.ema_warmup,
            "The decay rises as 1 - t^(-2/3) until it reaches optim.ema_decay (timm's "
            "--model-ema-warmup), so that short runs forget their first weights.");
}

void bind_guard(OptionTable& table, Options& options) {
  table.add("optim",
            "skip_loss_z",
            options.skip_loss_z,
            "",
            "Drops a step whose loss lies more than this many standard deviations above the mean "
            "of the last 128 finite steps, alike on all ranks. 0: off.");
  table.add("optim",
            "skip_norm_z",
            options.skip_norm_z,
            "",
            "The same for the norm of the gradient. 0: off.");
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

void check_clipping(const Options& options) {
  const int ways = (options.clip_norm > 0 ? 1 : 0) + (options.clip_value > 0 ? 1 : 0) +
                   (options.clip_agc > 0 ? 1 : 0);
  if (ways <= 1) return;
  throw config_error(
      format("optim.clip_norm = {}, optim.clip_value = {} and optim.clip_agc = {} exclude each "
             "other: leave one above 0",
             options.clip_norm,
             options.clip_value,
             options.clip_agc));
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
  bind_clipping(table, options);
  bind_groups(table, options);
  bind_average(table, options);
  bind_guard(table, options);
}

void bind_options(OptionTable& table, PrecisionOptions& options) {
  table.add("precision",
            "compute",
            options.compute,
            "Number format of matrix products; weights stay fp32. bf16: fast on sm_80 and newer; "
            "on a CPU slower than fp32 for small widths. fp16: for older GPUs, with loss scaling.",
            {"fp32", "bf16", "fp16"});
  table.add("precision",
            "fp32_modules",
            options.fp32_modules,
            "Layers that compute in fp32 whatever precision.compute says, as globs on their names: "
            "head, blocks.*.attn. A layer includes the layers inside it; * also stands for dots. "
            "For layers that overflow or lose precision; they run at the speed of fp32. No effect "
            "with fp32.");
  table.add("precision",
            "loss_scale",
            options.loss_scale,
            "",
            "First factor on the loss under fp16; shrinks at a step that overflows, which is then "
            "dropped. No effect with fp32 and bf16.");
  table.add("precision",
            "scale_growth_steps",
            options.scale_growth_steps,
            "steps",
            "Steps without overflow after which the loss scale grows. fp16 only.");
  table.add("precision",
            "scale_growth",
            options.scale_growth,
            "",
            "Factor by which the loss scale grows. fp16 only.");
  table.add("precision",
            "scale_backoff",
            options.scale_backoff,
            "",
            "Factor by which the loss scale shrinks at an overflow. fp16 only.");
}

void validate(const Options& options) {
  check_not_negative("optim.lr", options.lr);
  check_not_negative("optim.weight_decay", options.weight_decay);
  check_not_negative("optim.clip_norm", options.clip_norm);
  check_not_negative("optim.clip_value", options.clip_value);
  check_not_negative("optim.clip_agc", options.clip_agc);
  check_not_negative("optim.skip_loss_z", options.skip_loss_z);
  check_not_negative("optim.skip_norm_z", options.skip_norm_z);
  check_clipping(options);
  check_share("ema_decay", options.ema_decay);
  if (options.layer_decay <= 0 || options.layer_decay > 1) {
    throw config_error(
        format("optim.layer_decay = {} is outside above 0 to 1: 1 is none", options.layer_decay));
  }
  parse_factors("optim.lr_factors", options.lr_factors);
  parse_factors("optim.decay_factors", options.decay_factors);
  parse_patterns("optim.freeze", options.freeze);
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
  if (options.scale_growth < 1) {
    throw config_error(
        format("precision.scale_growth = {} is below 1: 2 is usual", options.scale_growth));
  }
  if (options.scale_backoff <= 0 || options.scale_backoff >= 1) {
    throw config_error(format("precision.scale_backoff = {} is outside 0 to 1: 0.5 is usual",
                              options.scale_backoff));
  }
}

}  // namespace lockstep::optim
