#include <lockstep/parallel/reducer.h>

#include <unordered_set>

namespace lockstep::parallel {

std::vector<optim::NamedParameter> parameters_of(torch::nn::Module& module) {
  std::vector<optim::NamedParameter> out;
  std::unordered_set<const void*> seen;
  for (const auto& item : module.named_parameters()) {
    const at::Tensor& tensor = item.value();
    if (!tensor.requires_grad() || !seen.insert(tensor.unsafeGetTensorImpl()).second) continue;
    out.push_back({item.key(), tensor});
  }
  return out;
}

}  // namespace lockstep::parallel
