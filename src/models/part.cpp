#include "models/part.h"

namespace lockstep::models {

std::vector<std::string> name_parts(torch::nn::Module& model) {
  std::vector<std::string> places;
  for (const auto& item : model.named_modules("", /*include_self=*/false)) {
    auto* const part = dynamic_cast<Part*>(item.value().get());
    if (part == nullptr) continue;
    part->place_ = item.key();
    places.push_back(item.key());
  }
  return places;
}

void choose_fp32(torch::nn::Module& model, const std::function<bool(const std::string&)>& chosen) {
  for (const auto& module : model.modules(/*include_self=*/false)) {
    auto* const part = dynamic_cast<Part*>(module.get());
    if (part != nullptr) part->in_fp32_ = chosen(part->place_);
  }
}

}  // namespace lockstep::models
