#include "temporary_folder.h"

#include <lockstep/base/error.h>
#include <lockstep/weights/module_tensors.h>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace lockstep::weights {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Leaf : public torch::nn::Module {
 public:
  Leaf(at::IntArrayRef shape, float value) { register_parameter("weight", at::full(shape, value)); }
};

// As much of a ViT as the tables need: positions, one attention, a head, and a buffer.
class Net : public torch::nn::Module {
 public:
  explicit Net(float value, std::int64_t num_classes = 2) {
    register_parameter("pos_embed", at::full({1, 5, 4}, value));
    register_buffer("count", at::full({}, static_cast<std::int64_t>(value), at::kLong));
    const auto blocks = register_module("blocks", std::make_shared<torch::nn::Module>("Blocks"));
    const auto block = blocks->register_module("0", std::make_shared<torch::nn::Module>("Block"));
    const auto attn = block->register_module("attn", std::make_shared<torch::nn::Module>("Attn"));
    attn->register_module("qkv", std::make_shared<Leaf>(at::IntArrayRef{12, 4}, value));
    register_module("head", std::make_shared<Leaf>(at::IntArrayRef{num_classes, 4}, value));
  }

  bool all_equal(float value) const {
    for (const at::Tensor& parameter : parameters()) {
      if (!at::equal(parameter, at::full_like(parameter, value))) return false;
    }
    return true;
  }
};

class ModuleTensors : public testing::Test {
 protected:
  // Writes `tensors` and loads them into `net`.
  LoadReport load(Net& net,
                  const std::map<std::string, at::Tensor>& tensors,
                  const Options& options = {},
                  const ResizeHook& resize = {}) const {
    std::map<std::string, TensorView> views;
    for (const auto& [name, tensor] : tensors) views.emplace(name, view_of(tensor));
    write_safetensors(path_, views, {});
    return load_module(net, path_, options, resize);
  }

  std::string cause_of(Net& net,
                       const std::map<std::string, at::Tensor>& tensors,
                       const Options& options = {}) const {
    try {
      load(net, tensors, options);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kBadData);
      return error.what();
    }
    return "accepted";
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "model.safetensors";
};

Options lenient() {
  Options options;
  options.strict = false;
  return options;
}

TEST_F(ModuleTensors, SavedModulesLoad) {
  const Net saved(3);
  save_module(saved, path_, {{"format", "pt"}});
  Net net(1);
  const LoadReport report = load_module(net, path_, {});
  EXPECT_EQ(report.num_loaded, 4U);
  EXPECT_TRUE(net.all_equal(3));
  EXPECT_EQ(net.named_buffers()["count"].item<std::int64_t>(), 3);
  EXPECT_EQ(SafetensorsFile(path_).metadata().at("format"), "pt");
}

TEST_F(ModuleTensors, LoadingKeepsTheParametersAndTheirGradients) {
  Net net(1);
  const at::Tensor before = net.parameters()[0];
  load(net, collect_tensors(Net(3)));
  EXPECT_TRUE(net.parameters()[0].is_same(before));
  EXPECT_TRUE(before.requires_grad());
  EXPECT_TRUE(before.is_leaf());
}

TEST_F(ModuleTensors, MissingAndUnexpectedKeysAreNamedAndNothingChanges) {
  auto tensors = collect_tensors(Net(3));
  tensors.erase("pos_embed");
  tensors.emplace("extra.key", at::ones({2}));
  Net net(1);
  const std::string cause = cause_of(net, tensors);
  EXPECT_THAT(cause, HasSubstr("missing: pos_embed"));
  EXPECT_THAT(cause, HasSubstr("unexpected: extra.key"));
  EXPECT_THAT(cause, HasSubstr("weights.strict=false"));
  EXPECT_THAT(cause, HasSubstr(path_.string()));
  EXPECT_TRUE(net.all_equal(1));
  const LoadReport report = load(net, tensors, lenient());
  EXPECT_THAT(report.missing, ElementsAre("pos_embed"));
  EXPECT_THAT(report.unexpected, ElementsAre("extra.key"));
  EXPECT_EQ(report.num_loaded, 3U);
}

TEST_F(ModuleTensors, AFileWithNothingThatFitsIsRefusedEvenLeniently) {
  Net net(1);
  EXPECT_THAT(cause_of(net, {{"other", at::ones({2})}}, lenient()), HasSubstr("no tensor"));
}

TEST_F(ModuleTensors, ShapesThatDifferGoToTheHook) {
  auto tensors = collect_tensors(Net(3));
  tensors["pos_embed"] = at::full({1, 10, 4}, 3.F);
  Net net(1);
  EXPECT_THAT(cause_of(net, tensors), HasSubstr("of another shape or type: pos_embed"));
  const auto halve = [](const std::string& name, const at::Tensor& from, const at::Tensor& to) {
    return name == "pos_embed" ? from.narrow(1, 0, to.size(1)) : at::Tensor();
  };
  const LoadReport report = load(net, tensors, {}, halve);
  EXPECT_THAT(report.resized, ElementsAre("pos_embed"));
  EXPECT_TRUE(net.all_equal(3));
}

TEST_F(ModuleTensors, AHookThatGivesAWrongShapeIsAMisfit) {
  auto tensors = collect_tensors(Net(3));
  tensors["pos_embed"] = at::full({1, 10, 4}, 3.F);
  Net net(1);
  const auto wrong = [](const std::string&, const at::Tensor& from, const at::Tensor&) {
    return from;
  };
  EXPECT_THAT(load(net, tensors, lenient(), wrong).misfits, ElementsAre("pos_embed"));
}

TEST_F(ModuleTensors, ResetLeavesTheHeadAsDrawn) {
  Net net(1, 7);
  Options options;
  options.head = "reset";
  const LoadReport report = load(net, collect_tensors(Net(3)), options);
  EXPECT_THAT(report.reset, ElementsAre("head.weight"));
  EXPECT_TRUE(at::equal(net.named_parameters()["head.weight"], at::ones({7, 4})));
  EXPECT_TRUE(at::equal(net.named_parameters()["pos_embed"], at::full({1, 5, 4}, 3.F)));
  EXPECT_THAT(cause_of(net, collect_tensors(Net(3))), HasSubstr("head.weight"));
}

TEST_F(ModuleTensors, FloatsAreConvertedAndIntegersAreNot) {
  auto tensors = collect_tensors(Net(3));
  tensors["pos_embed"] = tensors["pos_embed"].to(at::kBFloat16);
  tensors["head.weight"] = tensors["head.weight"].to(at::kDouble);
  Net net(1);
  load(net, tensors);
  EXPECT_TRUE(net.all_equal(3));
  EXPECT_EQ(net.parameters()[0].scalar_type(), at::kFloat);
  tensors["pos_embed"] = at::full({1, 5, 4}, 3, at::kInt);
  EXPECT_THAT(cause_of(net, tensors), HasSubstr("pos_embed"));
}

TEST_F(ModuleTensors, SplitQueryKeyValueAreJoinedInOrder) {
  const std::string block = "vit.encoder.layer.0.attention.attention.";
  std::map<std::string, at::Tensor> tensors{
      {"vit.embeddings.patch_embeddings.projection.weight", at::ones({1})},
      {"vit.embeddings.position_embeddings", at::full({1, 5, 4}, 3.F)},
      {"classifier.weight", at::full({2, 4}, 3.F)},
      {block + "value.weight", at::full({4, 4}, 6.F)},
      {block + "query.weight", at::full({4, 4}, 4.F)},
      {block + "key.weight", at::full({4, 4}, 5.F)}};
  Net net(1);
  const LoadReport report = load(net, tensors, lenient());
  EXPECT_EQ(report.dialect, Dialect::kHuggingFace);
  EXPECT_THAT(report.missing, ElementsAre("count"));
  EXPECT_THAT(report.unexpected, ElementsAre("patch_embed.proj.weight"));
  const at::Tensor joined = net.named_parameters()["blocks.0.attn.qkv.weight"];
  for (const int part : {0, 1, 2}) {
    EXPECT_TRUE(at::equal(joined.narrow(0, 4 * part, 4), at::full({4, 4}, 4.0 + part, at::kFloat)));
  }
  tensors.erase(block + "key.weight");
  EXPECT_THAT(load(net, tensors, lenient()).misfits, ElementsAre("blocks.0.attn.qkv.weight"));
}

TEST_F(ModuleTensors, TwoKeysForOneParameterAreRefused) {
  Net net(1);
  auto tensors = collect_tensors(Net(3));
  tensors.emplace("module.pos_embed", at::full({1, 5, 4}, 3.F));
  EXPECT_THAT(cause_of(net, tensors), HasSubstr("pos_embed"));
}

TEST_F(ModuleTensors, ViewsKeepEveryType) {
  for (const at::ScalarType type : {at::kBool,
                                    at::kByte,
                                    at::kChar,
                                    at::kShort,
                                    at::kInt,
                                    at::kLong,
                                    at::kHalf,
                                    at::kBFloat16,
                                    at::kFloat,
                                    at::kDouble}) {
    const at::Tensor tensor = at::arange(6).reshape({2, 3}).to(type);
    const at::Tensor back = tensor_of(view_of(tensor));
    EXPECT_EQ(back.scalar_type(), type);
    EXPECT_TRUE(at::equal(back, tensor));
  }
  EXPECT_EQ(tensor_of(view_of(at::empty({0, 3}))).sizes(), (at::IntArrayRef{0, 3}));
}

}  // namespace
}  // namespace lockstep::weights
