#include <lockstep/weights/dialect.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lockstep::weights {
namespace {

std::string translated(Dialect dialect, const std::string& key) {
  const auto native = translate_key(dialect, key);
  if (!native) return "unknown";
  if (native->num_parts == 1) return native->key;
  return native->key + " " + std::to_string(native->part) + "/" + std::to_string(native->num_parts);
}

TEST(Dialect, IsRecognisedByItsKeys) {
  const auto of = [](std::vector<std::string> keys) { return recognise_dialect(keys); };
  EXPECT_EQ(of({"class_token", "conv_proj.weight"}), Dialect::kTorchvision);
  EXPECT_EQ(of({"vit.embeddings.patch_embeddings.projection.weight"}), Dialect::kHuggingFace);
  EXPECT_EQ(of({"embeddings.patch_embeddings.projection.bias"}), Dialect::kHuggingFace);
  EXPECT_EQ(of({"cls_token", "patch_embed.proj.weight"}), Dialect::kNative);
  EXPECT_EQ(of({"layer.weight"}), Dialect::kNative);
  EXPECT_EQ(of({}), Dialect::kNative);
}

TEST(Dialect, TorchvisionKeys) {
  const auto of = [](const std::string& key) { return translated(Dialect::kTorchvision, key); };
  const std::string block = "encoder.layers.encoder_layer_11.";
  EXPECT_EQ(of("class_token"), "cls_token");
  EXPECT_EQ(of("encoder.pos_embedding"), "pos_embed");
  EXPECT_EQ(of("conv_proj.weight"), "patch_embed.proj.weight");
  EXPECT_EQ(of(block + "ln_1.bias"), "blocks.11.norm1.bias");
  EXPECT_EQ(of(block + "self_attention.in_proj_weight"), "blocks.11.attn.qkv.weight");
  EXPECT_EQ(of(block + "self_attention.in_proj_bias"), "blocks.11.attn.qkv.bias");
  EXPECT_EQ(of(block + "self_attention.out_proj.weight"), "blocks.11.attn.proj.weight");
  EXPECT_EQ(of(block + "mlp.0.weight"), "blocks.11.mlp.fc1.weight");
  EXPECT_EQ(of(block + "mlp.linear_2.bias"), "blocks.11.mlp.fc2.bias");
  EXPECT_EQ(of("encoder.ln.weight"), "norm.weight");
  EXPECT_EQ(of("heads.head.bias"), "head.bias");
  EXPECT_EQ(of("encoder.layers.encoder_layer_x.ln_1.bias"), "unknown");
  EXPECT_EQ(of("fc.weight"), "unknown");
}

TEST(Dialect, HuggingFaceKeys) {
  const auto of = [](const std::string& key) { return translated(Dialect::kHuggingFace, key); };
  const std::string block = "vit.encoder.layer.3.";
  EXPECT_EQ(of("vit.embeddings.cls_token"), "cls_token");
  EXPECT_EQ(of("embeddings.position_embeddings"), "pos_embed");
  EXPECT_EQ(of("vit.embeddings.patch_embeddings.projection.bias"), "patch_embed.proj.bias");
  EXPECT_EQ(of(block + "layernorm_before.weight"), "blocks.3.norm1.weight");
  EXPECT_EQ(of(block + "layernorm_after.weight"), "blocks.3.norm2.weight");
  EXPECT_EQ(of(block + "attention.attention.query.weight"), "blocks.3.attn.qkv.weight 0/3");
  EXPECT_EQ(of(block + "attention.attention.key.bias"), "blocks.3.attn.qkv.bias 1/3");
  EXPECT_EQ(of(block + "attention.attention.value.bias"), "blocks.3.attn.qkv.bias 2/3");
  EXPECT_EQ(of(block + "attention.output.dense.bias"), "blocks.3.attn.proj.bias");
  EXPECT_EQ(of(block + "intermediate.dense.weight"), "blocks.3.mlp.fc1.weight");
  EXPECT_EQ(of(block + "output.dense.weight"), "blocks.3.mlp.fc2.weight");
  EXPECT_EQ(of("vit.layernorm.weight"), "norm.weight");
  EXPECT_EQ(of("classifier.bias"), "head.bias");
  EXPECT_EQ(of("vit.pooler.dense.weight"), "unknown");
}

TEST(Dialect, NativeKeysStayButForOldNamesAndWrappers) {
  const auto of = [](const std::string& key) { return translated(Dialect::kNative, key); };
  EXPECT_EQ(of("blocks.0.attn.qkv.weight"), "blocks.0.attn.qkv.weight");
  EXPECT_EQ(of("blocks.0.gamma_1"), "blocks.0.ls1.gamma");
  EXPECT_EQ(of("module.norm.weight"), "norm.weight");
  EXPECT_EQ(of("anything"), "anything");
}

}  // namespace
}  // namespace lockstep::weights
