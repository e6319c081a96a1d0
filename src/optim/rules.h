// The element rules: what each optimizer does with one element, given its gradient (unscaled and
// clipped) and its slots of state. The host's pass and the device's kernel are templates over these
// and agree to rounding. Formulas and sources: docs/optimizers.md. Knows no LibTorch.
#pragma once

#include "update_block.h"

#include <lockstep/optim/rule.h>

namespace lockstep::optim {

inline constexpr int kMaxSlots = 4;

// AdamW (Loshchilov & Hutter 2019, algorithm 2), as torch.optim.AdamW orders it: decay first, eps
// outside the square root of the corrected second moment.
struct AdamwRule {
  static constexpr Rule kRule = Rule::kAdamw;
  static constexpr int kSlots = 2;
  struct Factors {
    float keep;           // 1 - lr x weight decay
    float first_weight;   // 1 - beta1
    float second_keep;    // beta2
    float second_weight;  // 1 - beta2
    float inverse_sqrt_correction;
    float eps;
    float step_size;
  };
  LOCKSTEP_HOST_DEVICE static Factors factors(const UpdateSettings& s,
                                              const UpdateBlock& block,
                                              const GroupFactors& group) {
    const double factor = static_cast<double>(group.lr_factor);
    Factors f;
    f.keep =
        static_cast<float>(1.0 - block.now.lr * factor * static_cast<double>(group.weight_decay));
    f.first_weight = static_cast<float>(1.0 - s.betas[0]);
    f.second_keep = static_cast<float>(s.betas[1]);
    f.second_weight = static_cast<float>(1.0 - s.betas[1]);
    f.inverse_sqrt_correction = static_cast<float>(1.0 / sqrt(block.factors.corrections[1]));
    f.eps = static_cast<float>(s.eps);
    f.step_size = static_cast<float>(block.now.lr / block.factors.corrections[0] * factor);
    return f;
  }
  LOCKSTEP_HOST_DEVICE static void update(const Factors& f, float& p, float g, float* s) {
    s[0] = s[0] + (g - s[0]) * f.first_weight;
    s[1] = s[1] * f.second_keep + g * g * f.second_weight;
    const float denominator = sqrtf(s[1]) * f.inverse_sqrt_correction + f.eps;
    p = p * f.keep - f.step_size * (s[0] / denominator);
  }
};

// Adam (Kingma & Ba 2015) with the decay in the gradient, as torch.optim.Adam.
struct AdamRule {
  static constexpr Rule kRule = Rule::kAdam;
  static constexpr int kSlots = 2;
  struct Factors {
    float weight_decay;
    AdamwRule::Factors rest;  // keeps all of p
  };
  LOCKSTEP_HOST_DEVICE static Factors factors(const UpdateSettings& s,
                                              const UpdateBlock& block,
                                              const GroupFactors& group) {
    return {group.weight_decay, AdamwRule::factors(s, block, {group.lr_factor, 0.0F})};
  }
  LOCKSTEP_HOST_DEVICE static void update(const Factors& f, float& p, float g, float* s) {
    AdamwRule::update(f.rest, p, g + f.weight_decay * p, s);
  }
};

// Plain gradient descent with the decay in the gradient.
struct SgdRule {
  static constexpr Rule kRule = Rule::kSgd;
  static constexpr int kSlots = 0;
  struct Factors {
    float weight_decay;
    float lr;
  };
  LOCKSTEP_HOST_DEVICE static Factors factors(const UpdateSettings& /*settings*/,
                                              const UpdateBlock& block,
                                              const GroupFactors& group) {
    return {group.weight_decay,
            static_cast<float>(block.now.lr * static_cast<double>(group.lr_factor))};
  }
  LOCKSTEP_HOST_DEVICE static void update(const Factors& f, float& p, float g, float* /*slots*/) {
    p = p - f.lr * (g + f.weight_decay * p);
  }
};

// Momentum and Nesterov's as torch.optim.SGD: the first gradient enters undampened.
struct MomentumRule {
  static constexpr Rule kRule = Rule::kMomentum;
  static constexpr int kSlots = 1;
  struct Factors {
    float weight_decay;
    float lr;
    float momentum;
    float enter;   // weight of the gradient in the momentum
    float direct;  // weight of the gradient in the step: 1 with Nesterov, else 0
    float follow;  // weight of the momentum in the step
  };
  LOCKSTEP_HOST_DEVICE static Factors factors(const UpdateSettings& s,
                                              const UpdateBlock& block,
                                              const GroupFactors& group) {
    Factors f;
    f.weight_decay = group.weight_decay;
    f.lr = static_cast<float>(block.now.lr * static_cast<double>(group.lr_factor));
    f.momentum = static_cast<float>(s.momentum);
    f.enter = block.state.steps == 1 ? 1.0F : static_cast<float>(1.0 - s.dampening);
    f.direct = s.nesterov != 0 ? 1.0F : 0.0F;
    f.follow = s.nesterov != 0 ? f.momentum : 1.0F;
    return f;
  }
  LOCKSTEP_HOST_DEVICE static void update(const Factors& f, float& p, float g, float* s) {
    const float d = g + f.weight_decay * p;
    s[0] = f.momentum * s[0] + f.enter * d;
    p = p - f.lr * (f.direct * d + f.follow * s[0]);
  }
};

// Lion (Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", algorithm 2).
struct LionRule {
  static constexpr Rule kRule = Rule::kLion;
  static constexpr int kSlots = 1;
  struct Factors {
    float keep;
    float lr;
    float look_keep;    // beta1
    float look_weight;  // 1 - beta1
    float mean_weight;  // 1 - beta2
  };
  LOCKSTEP_HOST_DEVICE static Factors factors(const UpdateSettings& s,
                                              const UpdateBlock& block,
                                              const GroupFactors& group) {
    const double lr = block.now.lr * static_cast<double>(group.lr_factor);
    return {static_cast<float>(1.0 - lr * static_cast<double>(group.weight_decay)),
            static_cast<float>(lr),
            static_cast<float>(s.betas[0]),
            static_cast<float>(1.0 - s.betas[0]),
            static_cast<float>(1.0 - s.betas[1])};
  }
  LOCKSTEP_HOST_DEVICE static void update(const Factors& f, float& p, float g, float* s) {
    const float look = s[0] * f.look_keep + g * f.look_weight;
    const float fall = look > 0.0F ? f.lr : 0.0F;
    const float rise = look < 0.0F ? f.lr : 0.0F;
    p = p * f.keep - (fall - rise);
    s[0] = s[0] + (g - s[0]) * f.mean_weight;
  }
};

// Adan (Xie et al. 2022, "Adan: Adaptive Nesterov Momentum Algorithm", algorithm 1), as timm's with
// its proximal decay. Slots: mean, mean difference, mean square, minus the last gradient.
struct AdanRule {
  static constexpr Rule kRule = Rule::kAdan;
  static constexpr int kSlots = 4;
  struct Factors {
    float betas[3];
    float weights[3];  // 1 - betas
    float has_last;    // 0 at the first step: there is no difference yet
    float step_size;   // of the mean
    float diff_size;   // of the mean difference
    float inverse_sqrt_correction;
    float eps;
    float keep;  // 1 / (1 + lr x weight decay)
  };
  LOCKSTEP_HOST_DEVICE static Factors factors(const UpdateSettings& s,
                                              const UpdateBlock& block,
                                              const GroupFactors& group) {
    const double lr = block.now.lr * static_cast<double>(group.lr_factor);
    Factors f;
    for (int i = 0; i < 3; ++i) {
      f.betas[i] = static_cast<float>(s.betas[i]);
      f.weights[i] = static_cast<float>(1.0 - s.betas[i]);
    }
    f.has_last = block.state.steps == 1 ? 0.0F : 1.0F;
    f.step_size = static_cast<float>(lr / block.factors.corrections[0]);
    f.diff_size = static_cast<float>(lr * s.betas[1] / block.factors.corrections[1]);
    f.inverse_sqrt_correction = static_cast<float>(1.0 / sqrt(block.factors.corrections[2]));
    f.eps = static_cast<float>(s.eps);
    f.keep = static_cast<float>(1.0 / (1.0 + lr * static_cast<double>(group.weight_decay)));
    return f;
  }
  LOCKSTEP_HOST_DEVICE static void update(const Factors& f, float& p, float g, float* s) {
    const float difference = (g + s[3]) * f.has_last;
    const float ahead = g + f.betas[1] * difference;
    s[0] = s[0] * f.betas[0] + g * f.weights[0];
    s[1] = s[1] * f.betas[1] + difference * f.weights[1];
    s[2] = s[2] * f.betas[2] + ahead * ahead * f.weights[2];
    s[3] = -g;
    const float denominator = sqrtf(s[2]) * f.inverse_sqrt_correction + f.eps;
    p = (p - (f.step_size * s[0] + f.diff_size * s[1]) / denominator) * f.keep;
  }
};

// In the order of enum Rule: tables of kernels are made from it.
template <class... Rules>
struct RuleList {};
using AllRules = RuleList<AdamwRule, AdamRule, SgdRule, MomentumRule, LionRule, AdanRule>;

template <class... R>
constexpr bool in_order(RuleList<R...> /*rules*/) {
  int next = 0;
  return ((static_cast<int>(R::kRule) == next++ && R::kSlots <= kMaxSlots) && ...);
}
static_assert(in_order(AllRules{}), "the list follows the enumeration");

}  // namespace lockstep::optim
