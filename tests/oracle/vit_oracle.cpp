// Runs our ViT and our safetensors code on files that Python wrote, for vit_oracle.py to compare.
//   vit_oracle forward WEIGHTS INPUTS OUT SAVED   logits and gradients, and the model saved again
//   vit_oracle positions INPUTS OUT               positions resized to metadata "grid"
//   vit_oracle copy IN OUT                        every tensor read and written
#include <lockstep/base/error.h>
#include <lockstep/models/classification.h>
#include <lockstep/models/vit.h>
#include <lockstep/weights/module_tensors.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace lockstep;

// The file's metadata are [model] settings by their keys.
models::Options options_of(const weights::SafetensorsFile& inputs) {
  models::Options options;
  OptionTable table;
  models::bind_options(table, options);
  for (const auto& [key, value] : inputs.metadata()) {
    const Option* option = table.find("model." + key);
    if (option == nullptr) throw data_error("unknown setting " + key);
    option->set(value);
  }
  return options;
}

void write(const std::string& path, const std::map<std::string, at::Tensor>& tensors) {
  std::map<std::string, weights::TensorView> views;
  for (const auto& [name, tensor] : tensors) views.emplace(name, weights::view_of(tensor));
  weights::write_safetensors(path, views, {{"format", "pt"}});
}

void forward(const std::vector<std::string>& paths) {
  const weights::SafetensorsFile inputs(paths[1]);
  models::Vit model(options_of(inputs), 1);
  weights::load_module(
      model, paths[0], {}, [](const std::string&, const at::Tensor& from, const at::Tensor& to) {
        return models::resize_positions_like(from, to);
      });
  const at::Tensor images = weights::tensor_of(inputs.tensors().at("images"));
  const at::Tensor labels = weights::tensor_of(inputs.tensors().at("labels"));
  const at::Tensor logits = model.forward(images, {});
  const auto count = static_cast<double>(images.size(0));
  const at::Tensor ones = at::ones({images.size(0)});
  models::cross_entropy(logits, labels, ones, count, 0).loss.backward();
  std::map<std::string, at::Tensor> out{{"logits", logits.detach().contiguous()}};
  for (const auto& item : model.named_parameters()) {
    out.emplace("grad." + item.key(), item.value().grad().contiguous());
  }
  write(paths[2], out);
  weights::save_module(model, paths[3], {{"format", "pt"}});
}

void positions(const std::vector<std::string>& paths) {
  const weights::SafetensorsFile inputs(paths[0]);
  const at::Tensor stored = weights::tensor_of(inputs.tensors().at("positions"));
  const std::int64_t grid = std::stoll(inputs.metadata().at("grid"));
  const std::int64_t prefix = std::stoll(inputs.metadata().at("prefix"));
  write(paths[1], {{"positions", models::resize_positions(stored, grid, prefix).contiguous()}});
}

void copy(const std::vector<std::string>& paths) {
  const weights::SafetensorsFile in(paths[0]);
  weights::write_safetensors(paths[1], in.tensors(), in.metadata());
}

int run(const std::vector<std::string>& arguments) {
  const std::map<std::string, std::pair<void (*)(const std::vector<std::string>&), std::size_t>>
      modes{{"forward", {forward, 4}}, {"positions", {positions, 2}}, {"copy", {copy, 2}}};
  const auto mode = arguments.empty() ? modes.end() : modes.find(arguments[0]);
  if (mode == modes.end() || arguments.size() != mode->second.second + 1) {
    std::fputs("vit_oracle: see the head of vit_oracle.cpp\n", stderr);
    return 64;
  }
  mode->second.first({arguments.begin() + 1, arguments.end()});
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (...) {
    const Error error = current_error();
    std::fprintf(stderr, "vit_oracle: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
