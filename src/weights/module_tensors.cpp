// Copies between torch modules and safetensors files. Knows no model: shapes that differ go to the
// caller's hook.
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/log.h>
#include <lockstep/weights/module_tensors.h>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

namespace lockstep::weights {
namespace {

constexpr std::size_t kMaxShownNames = 8;
constexpr std::string_view kHeadPrefix = "head.";

constexpr std::array<std::pair<DType, at::ScalarType>, 15> kTypes{{
    {DType::kBool, at::kBool},
    {DType::kU8, at::kByte},
    {DType::kI8, at::kChar},
    {DType::kF8E4M3, at::ScalarType::Float8_e4m3fn},
    {DType::kF8E5M2, at::ScalarType::Float8_e5m2},
    {DType::kI16, at::kShort},
    {DType::kU16, at::ScalarType::UInt16},
    {DType::kF16, at::kHalf},
    {DType::kBF16, at::kBFloat16},
    {DType::kI32, at::kInt},
    {DType::kU32, at::ScalarType::UInt32},
    {DType::kF32, at::kFloat},
    {DType::kF64, at::kDouble},
    {DType::kI64, at::kLong},
    {DType::kU64, at::ScalarType::UInt64},
}};

at::ScalarType scalar_type_of(DType dtype) {
  for (const auto& [ours, theirs] : kTypes) {
    if (ours == dtype) return theirs;
  }
  throw internal_error("a dtype without a torch type");
}

DType dtype_of(at::ScalarType type) {
  for (const auto& [ours, theirs] : kTypes) {
    if (theirs == type) return ours;
  }
  throw internal_error("safetensors files have no such torch type");
}

// What a module calls its own, without copies.
std::map<std::string, at::Tensor> own_tensors(const torch::nn::Module& module) {
  std::map<std::string, at::Tensor> tensors;
  for (const auto& item : module.named_parameters()) tensors.emplace(item.key(), item.value());
  for (const auto& item : module.named_buffers()) tensors.emplace(item.key(), item.value());
  return tensors;
}

using Parts = std::vector<const TensorView*>;  // null: a part that the file lacks

// The file's tensors under the module's names.
std::map<std::string, Parts> translate_file(const SafetensorsFile& file, LoadReport& report) {
  std::vector<std::string> keys;
  for (const auto& item : file.tensors()) keys.push_back(item.first);
  report.dialect = recognise_dialect(keys);
  std::map<std::string, Parts> found;
  for (const auto& [key, view] : file.tensors()) {
    const std::optional<NativeKey> native = translate_key(report.dialect, key);
    if (!native) {
      report.unexpected.push_back(key);
      continue;
    }
    Parts& parts = found[native->key];
    parts.resize(static_cast<std::size_t>(native->num_parts), nullptr);
    const TensorView*& place = parts[static_cast<std::size_t>(native->part)];
    if (place != nullptr) {
      throw data_error(
          format("{}: two keys, \"{}\" the second, stand for the parameter {}; remove "
                 "one",
                 file.path().string(),
                 key,
                 native->key));
    }
    place = &view;
  }
  return found;
}

// The whole stored tensor; undefined when a part is missing or the parts do not fit together.
at::Tensor join(const Parts& parts) {
  if (std::find(parts.begin(), parts.end(), nullptr) != parts.end()) return {};
  if (parts.size() == 1) return tensor_of(*parts[0]);
  std::vector<at::Tensor> tensors;
  for (const TensorView* part : parts) {
    if (part->shape.empty() || part->shape != parts[0]->shape || part->dtype != parts[0]->dtype) {
      return {};
    }
    tensors.push_back(tensor_of(*part));
  }
  return at::cat(tensors, 0);
}

bool converts(at::ScalarType from, at::ScalarType to) {
  return from == to || (at::isFloatingType(from) && at::isFloatingType(to));
}

// The value for `wanted`, with its shape; undefined when there is no way.
at::Tensor fit(const std::string& name,
               const Parts& parts,
               const at::Tensor& wanted,
               const ResizeHook& resize,
               LoadReport& report) {
  at::Tensor stored = join(parts);
  if (!stored.defined() || !converts(stored.scalar_type(), wanted.scalar_type())) return {};
  if (stored.sizes() == wanted.sizes()) return stored;
  if (resize) stored = resize(name, stored, wanted);
  if (!resize || !stored.defined() || stored.sizes() != wanted.sizes()) return {};
  report.resized.push_back(name);
  return stored;
}

std::string list_names(const char* what, const std::vector<std::string>& names) {
  if (names.empty()) return "";
  std::string text = format("; {} ", what);
  for (std::size_t i = 0; i < std::min(names.size(), kMaxShownNames); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kMaxShownNames) text += format(" and {} more", names.size() - kMaxShownNames);
  return text;
}

std::string list_differences(const LoadReport& report) {
  return list_names("missing:", report.missing) + list_names("unexpected:", report.unexpected) +
         list_names("of another shape or type:", report.misfits);
}

void check_report(const LoadReport& report, const SafetensorsFile& file, bool strict) {
  const std::string differences = list_differences(report);
  if (report.num_loaded == 0) {
    throw data_error(
        format("{}: no tensor of the file fits the model; give weights of such a model "
               "({} keys read){}",
               file.path().string(),
               dialect_name(report.dialect),
               differences));
  }
  if (differences.empty()) return;
  if (strict) {
    throw data_error(
        format("{} does not fit the model (as {} keys){}; correct [model], or set "
               "weights.strict=false to take what fits",
               file.path().string(),
               dialect_name(report.dialect),
               differences));
  }
  log::warning("{}: what fits was loaded{}", file.path().string(), differences);
}

}  // namespace

LoadReport load_into(torch::nn::Module& module,
                     const SafetensorsFile& file,
                     const Options& options,
                     const ResizeHook& resize) {
  LoadReport report;
  std::map<std::string, Parts> found = translate_file(file, report);
  std::vector<std::pair<at::Tensor, at::Tensor>> copies;  // (module's, new value)
  for (const auto& [name, wanted] : own_tensors(module)) {
    const auto place = found.find(name);
    if (options.head == "reset" && name.starts_with(kHeadPrefix)) {
      report.reset.push_back(name);
    } else if (place == found.end()) {
      report.missing.push_back(name);
      continue;
    } else if (at::Tensor value = fit(name, place->second, wanted, resize, report);
               value.defined()) {
      copies.emplace_back(wanted, std::move(value));
    } else {
      report.misfits.push_back(name);
    }
    if (place != found.end()) found.erase(place);
  }
  for (const auto& item : found) report.unexpected.push_back(item.first);
  std::sort(report.unexpected.begin(), report.unexpected.end());
  report.num_loaded = copies.size();
  check_report(report, file, options.strict);
  const at::NoGradGuard no_grad;
  for (auto& [target, value] : copies) target.copy_(value);
  return report;
}

LoadReport load_module(torch::nn::Module& module,
                       const std::filesystem::path& path,
                       const Options& options,
                       const ResizeHook& resize) {
  return load_into(module, SafetensorsFile(path), options, resize);
}

std::map<std::string, at::Tensor> collect_tensors(const torch::nn::Module& module) {
  std::map<std::string, at::Tensor> tensors = own_tensors(module);
  for (auto& item : tensors) item.second = item.second.detach().to(at::kCPU).contiguous();
  return tensors;
}

TensorView view_of(const at::Tensor& tensor) {
  LOCKSTEP_CHECK(tensor.device().is_cpu() && tensor.is_contiguous(),
                 "a view needs a contiguous tensor on the CPU");
  return {dtype_of(tensor.scalar_type()),
          tensor.sizes().vec(),
          {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}};
}

at::Tensor tensor_of(const TensorView& view) {
  at::Tensor tensor = at::empty(view.shape, scalar_type_of(view.dtype));
  LOCKSTEP_CHECK(tensor.nbytes() == view.bytes.size(), "a view's bytes must fit its shape");
  if (!view.bytes.empty()) {
    std::memcpy(tensor.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
  }
  return tensor;
}

void save_module(const torch::nn::Module& module,
                 const std::filesystem::path& path,
                 const std::map<std::string, std::string>& metadata) {
  const std::map<std::string, at::Tensor> tensors = collect_tensors(module);
  std::map<std::string, TensorView> views;
  for (const auto& [name, tensor] : tensors) views.emplace(name, view_of(tensor));
  write_safetensors(path, views, metadata);
}

}  // namespace lockstep::weights
