#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/optim/options.h>

#include <algorithm>

namespace lockstep::optim {
namespace {

const std::vector<Description>& descriptions() {
  static const std::vector<Description> all = {
      {"adamw",
       Rule::kAdamw,
       Granularity::kElement,
       {"exp_avg", "exp_avg_sq"},
       {"beta1", "beta2", "eps"},
       {0.9, 0.999, 0}},
      {"adam",
       Rule::kAdam,
       Granularity::kElement,
       {"exp_avg", "exp_avg_sq"},
       {"beta1", "beta2", "eps"},
       {0.9, 0.999, 0}},
      {"sgd",
       Rule::kMomentum,
       Granularity::kElement,
       {"momentum_buffer"},
       {"momentum", "dampening", "nesterov"},
       {0, 0, 0}},
      {"lion", Rule::kLion, Granularity::kElement, {"exp_avg"}, {"beta1", "beta2"}, {0.9, 0.99, 0}},
      {"adan",
       Rule::kAdan,
       Granularity::kElement,
       {"exp_avg", "exp_avg_diff", "exp_avg_sq", "neg_pre_grad"},
       {"beta1", "beta2", "beta3", "eps"},
       {0.98, 0.92, 0.99}},
  };
  return all;
}

const Description& plain_sgd() {
  static const Description description{
      "sgd", Rule::kSgd, Granularity::kElement, {}, {"momentum"}, {0, 0, 0}};
  return description;
}

}  // namespace

const Description& describe(const Options& options) {
  if (options.name == "sgd" && options.momentum == 0) return plain_sgd();
  const auto found = std::ranges::find(descriptions(), options.name, &Description::name);
  if (found != descriptions().end()) return *found;
  std::string names;
  for (const std::string& name : optimizer_names()) names += (names.empty() ? "" : ", ") + name;
  throw config_error(format("optim.name = {} is not known: use one of {}", options.name, names));
}

Need need_of(const Options& options) {
  const Description& description = describe(options);
  if (description.granularity != Granularity::kElement) {
    return {description.granularity, format("optim.name = {}", options.name)};
  }
  if (options.clip_agc > 0) {
    return {Granularity::kRow, format("optim.clip_agc = {}", options.clip_agc)};
  }
  if (options.centralize) return {Granularity::kRow, "optim.centralize = true"};
  return {};
}

std::vector<std::string> optimizer_names() {
  std::vector<std::string> names;
  for (const Description& description : descriptions()) names.emplace_back(description.name);
  return names;
}

const std::vector<std::string_view>& particular_keys() {
  static const std::vector<std::string_view> keys = {
      "beta1", "beta2", "beta3", "eps", "momentum", "dampening", "nesterov"};
  return keys;
}

std::array<double, 3> betas_of(const Options& options) {
  std::array<double, 3> betas = {options.beta1, options.beta2, options.beta3};
  const std::array<double, 3>& usual = describe(options).betas;
  for (std::size_t i = 0; i < betas.size(); ++i) {
    if (betas[i] == kUsual) betas[i] = usual[i];
  }
  return betas;
}

}  // namespace lockstep::optim
