// Runs our optimizers and schedules on files that Python wrote, for optim_oracle.py to compare.
//   optim_oracle train IN OUT      parameters after the recorded gradients of every step
//   optim_oracle factors IN OUT    learning rate factor and weight decay of each p.NAME
//   optim_oracle scales IN OUT     loss scale after each of the steps of overflows (n) bool
//   optim_oracle rates IN OUT      learning rates of the steps of a run of peak (1) and total (1)
// Metadata are settings by SECTION.KEY. IN holds p.NAME, g.NAME (one more dimension: the steps) and
// lr (steps) f64.
#include <lockstep/base/error.h>
#include <lockstep/optim/optimizer.h>
#include <lockstep/weights/module_tensors.h>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cstdio>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace lockstep;

struct Settings {
  optim::Options optim;
  optim::ScheduleOptions schedule;
  optim::PrecisionOptions precision;
};

Settings settings_of(const weights::SafetensorsFile& inputs) {
  Settings settings;
  OptionTable table;
  optim::bind_options(table, settings.optim);
  optim::bind_options(table, settings.schedule);
  optim::bind_options(table, settings.precision);
  for (const auto& [key, value] : inputs.metadata()) {
    const Option* option = table.find(key);
    if (option == nullptr) throw data_error("unknown setting " + key);
    option->set(value);
  }
  optim::validate(settings.optim);
  optim::validate(settings.schedule);
  optim::validate(settings.precision);
  return settings;
}

void write(const std::string& path, const std::map<std::string, at::Tensor>& tensors) {
  std::map<std::string, weights::TensorView> views;
  for (const auto& [name, tensor] : tensors) views.emplace(name, weights::view_of(tensor));
  weights::write_safetensors(path, views, {{"format", "pt"}});
}

at::Tensor find(const weights::SafetensorsFile& file, const std::string& name) {
  return weights::tensor_of(file.tensors().at(name));
}

// Parameters "p.NAME" of the file, and where they lie.
std::vector<optim::NamedParameter> parameters_of(const weights::SafetensorsFile& inputs,
                                                 optim::Layout& layout) {
  std::vector<optim::NamedParameter> parameters;
  for (const auto& [name, view] : inputs.tensors()) {
    if (!name.starts_with("p.")) continue;
    parameters.push_back({name.substr(2), weights::tensor_of(view).clone().requires_grad_(true)});
    layout.offset.push_back(layout.stats_offset);
    const std::int64_t count = parameters.back().tensor.numel();
    layout.stats_offset +=
        (count + optim::kAlignElements - 1) / optim::kAlignElements * optim::kAlignElements;
  }
  layout.total = layout.stats_offset + optim::kNumStats;
  return parameters;
}

void train(const std::vector<std::string>& paths) {
  const weights::SafetensorsFile inputs(paths[0]);
  const Settings settings = settings_of(inputs);
  const auto world = comm::open_solo_world();
  optim::Layout layout;
  auto parameters = parameters_of(inputs, layout);
  optim::Arena arena(*world, parameters, layout, at::kCPU);
  const auto optimizer =
      optim::make_optimizer(arena, settings.optim, settings.precision, /*bad_flag_slot=*/-1);
  const at::Tensor lr = find(inputs, "lr");
  for (std::int64_t step = 1; step <= lr.size(0); ++step) {
    for (const auto& parameter : parameters) {
      parameter.tensor.grad().copy_(find(inputs, "g." + parameter.name)[step - 1]);
    }
    optimizer->update({step, lr[step - 1].item<double>()});
  }
  std::map<std::string, at::Tensor> out;
  for (const auto& parameter : parameters) {
    out.emplace("p." + parameter.name, parameter.tensor.detach().contiguous());
  }
  if (optimizer->has_average()) {
    optimizer->swap_average();
    for (const auto& parameter : parameters) {
      out["p." + parameter.name] = out["p." + parameter.name].clone();
      out.emplace("ema." + parameter.name, parameter.tensor.detach().contiguous());
    }
  }
  write(paths[1], out);
}

void factors(const std::vector<std::string>& paths) {
  const weights::SafetensorsFile inputs(paths[0]);
  const Settings settings = settings_of(inputs);
  const auto world = comm::open_solo_world();
  optim::Layout layout;
  const auto parameters = parameters_of(inputs, layout);
  const optim::Arena arena(*world, parameters, layout, at::kCPU);
  std::map<std::string, at::Tensor> out;
  for (const optim::Segment& segment : optim::plan_segments(arena, settings.optim)) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const std::int64_t at = layout.offset[i] - segment.offset;
      if (at < 0 || at >= segment.count) continue;
      out[parameters[i].name] = at::tensor({segment.lr_factor, segment.weight_decay});
    }
  }
  write(paths[1], out);
}

void scales(const std::vector<std::string>& paths) {
  const weights::SafetensorsFile inputs(paths[0]);
  const Settings settings = settings_of(inputs);
  const auto world = comm::open_solo_world();
  optim::Layout layout;
  const auto parameters = parameters_of(inputs, layout);
  optim::Arena arena(*world, parameters, layout, at::kCPU);
  const auto optimizer = optim::make_optimizer(arena, settings.optim, settings.precision, -1);
  const at::Tensor overflows = find(inputs, "overflows");
  at::Tensor out = at::zeros({overflows.size(0)}, at::kDouble);
  for (std::int64_t i = 0; i < overflows.size(0); ++i) {
    const bool overflow = overflows[i].item<bool>();
    parameters[0].tensor.grad().fill_(overflow ? std::numeric_limits<double>::infinity() : 1.0);
    optimizer->update({i + 1, 0.0});
    out[i] = optimizer->loss_scale().item<double>();
  }
  write(paths[1], {{"scales", out}});
}

void rates(const std::vector<std::string>& paths) {
  const weights::SafetensorsFile inputs(paths[0]);
  const Settings settings = settings_of(inputs);
  const double peak = find(inputs, "peak")[0].item<double>();
  const auto total = find(inputs, "total")[0].item<std::int64_t>();
  at::Tensor out = at::zeros({total}, at::kDouble);
  for (std::int64_t step = 1; step <= total; ++step) {
    out[step - 1] = optim::learning_rate(peak, settings.schedule, step, total);
  }
  write(paths[1], {{"rates", out}});
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const std::map<std::string, void (*)(const std::vector<std::string>&)> modes = {
      {"train", train}, {"factors", factors}, {"scales", scales}, {"rates", rates}};
  try {
    if (words.size() == 3 && modes.contains(words[0])) {
      modes.at(words[0])({words.begin() + 1, words.end()});
      return 0;
    }
    std::fputs("usage: optim_oracle train|factors|scales|rates IN OUT\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  return 1;
}
