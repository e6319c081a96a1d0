// A torch module's parameters and buffers out of and into safetensors files.
#pragma once

#include <lockstep/weights/dialect.h>
#include <lockstep/weights/options.h>
#include <lockstep/weights/safetensors.h>

#include <torch/nn/module.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace lockstep::weights {

// Gives a stored tensor the shape of the module's (positions of another image size); called where
// the shapes differ. An undefined result means that it cannot.
using ResizeHook = std::function<at::Tensor(
    const std::string& name, const at::Tensor& stored, const at::Tensor& wanted)>;

// What happened to the names of the file and of the module, each list sorted.
struct LoadReport {
  Dialect dialect = Dialect::kNative;
  std::size_t num_loaded = 0;           // parameters and buffers that took their values
  std::vector<std::string> resized;     // by the hook
  std::vector<std::string> reset;       // the head, left as drawn
  std::vector<std::string> missing;     // of the module, not in the file; left as drawn
  std::vector<std::string> unexpected;  // of the file, not in the module
  std::vector<std::string> misfits;     // shape or kind of number differs; left as drawn
};

// Copies every tensor of the file that has a place into `module`, translated from the file's
// dialect and converted to the module's floating type and device. options.head "reset" leaves
// head.* as drawn. Nothing is changed when it throws; what is left out under strict=false is logged
// as one warning.
// Throws: Error(kBadData) naming file and keys when something is missing, unexpected or of another
// shape and options.strict; also when nothing at all fits.
LoadReport load_into(torch::nn::Module& module,
                     const SafetensorsFile& file,
                     const Options& options,
                     const ResizeHook& resize = {});

// load_into of the file at `path`.
LoadReport load_module(torch::nn::Module& module,
                       const std::filesystem::path& path,
                       const Options& options,
                       const ResizeHook& resize = {});

// Parameters and buffers by name, contiguous on the CPU (copied only where they are not).
std::map<std::string, at::Tensor> collect_tensors(const torch::nn::Module& module);

// `tensor` must be contiguous on the CPU and outlive the view.
TensorView view_of(const at::Tensor& tensor);
// A copy on the CPU.
at::Tensor tensor_of(const TensorView& view);

// collect_tensors and write_safetensors.
void save_module(const torch::nn::Module& module,
                 const std::filesystem::path& path,
                 const std::map<std::string, std::string>& metadata);

}  // namespace lockstep::weights
