// A layer as call() sees it: where it stands in its model, and whether it computes in fp32 whatever
// autocast says.
#pragma once

#include <torch/nn/module.h>

#include <functional>
#include <string>
#include <vector>

namespace lockstep::models {

class Part : public torch::nn::Module {
 public:
  const std::string& place() const { return place_; }  // "blocks.3.attn.qkv"
  bool in_fp32() const { return in_fp32_; }

 private:
  friend std::vector<std::string> name_parts(torch::nn::Module& model);
  friend void choose_fp32(torch::nn::Module& model,
                          const std::function<bool(const std::string&)>& chosen);

  std::string place_;
  bool in_fp32_ = false;
};

// Tells each part of `model` its place, once the model is whole; the places.
std::vector<std::string> name_parts(torch::nn::Module& model);

// Parts whose place is chosen compute in fp32 from now on, the others as autocast says.
void choose_fp32(torch::nn::Module& model, const std::function<bool(const std::string&)>& chosen);

}  // namespace lockstep::models
