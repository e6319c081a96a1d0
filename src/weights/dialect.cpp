// Tables of key names. Knows nothing of tensors.
#include <lockstep/weights/dialect.h>

#include <algorithm>
#include <array>

namespace lockstep::weights {
namespace {

struct Rule {
  std::string_view from;  // of a block: what follows its number; else the whole key's stem
  std::string_view to;
  int part = 0;
  int num_parts = 1;
};

constexpr std::array<Rule, 7> kTorchvisionStems{{{"class_token", "cls_token"},
                                                 {"encoder.pos_embedding", "pos_embed"},
                                                 {"conv_proj.weight", "patch_embed.proj.weight"},
                                                 {"conv_proj.bias", "patch_embed.proj.bias"},
                                                 {"encoder.ln.", "norm."},
                                                 {"heads.head.", "head."},
                                                 {"heads.", "head."}}};
constexpr std::array<Rule, 9> kTorchvisionBlock{
    {{"ln_1.", "norm1."},
     {"ln_2.", "norm2."},
     {"self_attention.in_proj_weight", "attn.qkv.weight"},
     {"self_attention.in_proj_bias", "attn.qkv.bias"},
     {"self_attention.out_proj.", "attn.proj."},
     {"mlp.0.", "mlp.fc1."},
     {"mlp.3.", "mlp.fc2."},
     {"mlp.linear_1.", "mlp.fc1."},
     {"mlp.linear_2.", "mlp.fc2."}}};
constexpr std::array<Rule, 5> kHuggingFaceStems{
    {{"embeddings.cls_token", "cls_token"},
     {"embeddings.position_embeddings", "pos_embed"},
     {"embeddings.patch_embeddings.projection.", "patch_embed.proj."},
     {"layernorm.", "norm."},
     {"classifier.", "head."}}};
constexpr std::array<Rule, 8> kHuggingFaceBlock{{{"layernorm_before.", "norm1."},
                                                 {"layernorm_after.", "norm2."},
                                                 {"attention.attention.query.", "attn.qkv.", 0, 3},
                                                 {"attention.attention.key.", "attn.qkv.", 1, 3},
                                                 {"attention.attention.value.", "attn.qkv.", 2, 3},
                                                 {"attention.output.dense.", "attn.proj."},
                                                 {"intermediate.dense.", "mlp.fc1."},
                                                 {"output.dense.", "mlp.fc2."}}};
// Files of DeiT III.
constexpr std::array<Rule, 2> kNativeBlock{{{"gamma_1", "ls1.gamma"}, {"gamma_2", "ls2.gamma"}}};

// A rule that ends with a dot keeps what follows; any other must be the whole text.
std::optional<NativeKey> apply(std::span<const Rule> rules,
                               std::string_view text,
                               const std::string& prefix) {
  for (const Rule& rule : rules) {
    const bool stem = rule.from.ends_with('.');
    if (stem ? text.starts_with(rule.from) : text == rule.from) {
      const std::string rest(text.substr(rule.from.size()));
      return NativeKey{prefix + std::string(rule.to) + rest, rule.part, rule.num_parts};
    }
  }
  return std::nullopt;
}

// Of "encoder.layer.11.x": number "11", rest "x"; nullopt without the prefix and a number.
struct BlockKey {
  std::string number;
  std::string_view rest;
};

std::optional<BlockKey> split_block(std::string_view key, std::string_view prefix) {
  if (!key.starts_with(prefix)) return std::nullopt;
  key.remove_prefix(prefix.size());
  const std::size_t dot = key.find('.');
  if (dot == 0 || dot == std::string_view::npos) return std::nullopt;
  const std::string number(key.substr(0, dot));
  const bool digits =
      std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  return BlockKey{number, key.substr(dot + 1)};
}

std::optional<NativeKey> translate(std::string_view key,
                                   std::string_view block_prefix,
                                   std::span<const Rule> block_rules,
                                   std::span<const Rule> stems) {
  if (const auto block = split_block(key, block_prefix)) {
    return apply(block_rules, block->rest, "blocks." + block->number + ".");
  }
  return apply(stems, key, "");
}

std::string_view without(std::string_view key, std::string_view prefix) {
  return key.starts_with(prefix) ? key.substr(prefix.size()) : key;
}

}  // namespace

std::string_view dialect_name(Dialect dialect) {
  switch (dialect) {
    case Dialect::kTorchvision:
      return "torchvision";
    case Dialect::kHuggingFace:
      return "Hugging Face";
    case Dialect::kNative:
      break;
  }
  return "timm";
}

Dialect recognise_dialect(std::span<const std::string> keys) {
  for (const std::string& given : keys) {
    const std::string_view key = without(given, "module.");
    if (key == "conv_proj.weight" || key == "encoder.pos_embedding") return Dialect::kTorchvision;
    if (without(key, "vit.").starts_with("embeddings.patch_embeddings.projection.")) {
      return Dialect::kHuggingFace;
    }
  }
  return Dialect::kNative;
}

std::optional<NativeKey> translate_key(Dialect dialect, std::string_view key) {
  key = without(key, "module.");
  if (dialect == Dialect::kTorchvision) {
    return translate(key, "encoder.layers.encoder_layer_", kTorchvisionBlock, kTorchvisionStems);
  }
  if (dialect == Dialect::kHuggingFace) {
    return translate(without(key, "vit."), "encoder.layer.", kHuggingFaceBlock, kHuggingFaceStems);
  }
  auto found = translate(key, "blocks.", kNativeBlock, {});
  return found ? found : NativeKey{std::string(key)};
}

}  // namespace lockstep::weights
