// Names of the same parameters in other projects' files, translated to timm's, which are ours.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lockstep::weights {

enum class Dialect { kNative, kTorchvision, kHuggingFace };

std::string_view dialect_name(Dialect dialect);

// By keys that only one of them has; kNative where none fits.
Dialect recognise_dialect(std::span<const std::string> keys);

// Where a stored tensor belongs: rows `part` of `num_parts` equal ones of the parameter `key`
// (Hugging Face stores query, key and value apart).
struct NativeKey {
  std::string key;
  int part = 0;
  int num_parts = 1;
};

// nullopt: the dialect does not know the key. A leading "module." (left by wrappers of other
// trainers) is dropped. Sources: timm/models/vision_transformer.py,
// torchvision/models/vision_transformer.py,
// transformers/models/vit/convert_vit_timm_to_pytorch.py.
std::optional<NativeKey> translate_key(Dialect dialect, std::string_view key);

}  // namespace lockstep::weights
