#include "make_arena.h"

#include <lockstep/base/error.h>
#include <lockstep/optim/arena.h>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>

namespace lockstep::optim {
namespace {

using test::layout_of;
using test::mixed_parameters;

class ArenaTest : public testing::Test {
 protected:
  Arena make() { return Arena(*world_, parameters_, layout_of(parameters_), at::kCPU); }

  std::unique_ptr<comm::World> world_ = comm::open_solo_world();
  std::vector<NamedParameter> parameters_ = mixed_parameters();
};

TEST_F(ArenaTest, KeepsValuesAndPointsParametersAndGradientsIntoIt) {
  std::vector<at::Tensor> before;
  for (const NamedParameter& p : parameters_) before.push_back(p.tensor.detach().clone());
  Arena arena = make();
  for (std::size_t i = 0; i < before.size(); ++i) {
    const at::Tensor& tensor = parameters_[i].tensor;  // the caller's own handle moved too
    EXPECT_TRUE(at::equal(tensor, before[i]));
    EXPECT_EQ(tensor.data_ptr(), arena.parameters().data_ptr<float>() + arena.layout().offset[i]);
    EXPECT_EQ(tensor.grad().sizes(), tensor.sizes());
    EXPECT_TRUE(tensor.requires_grad() && tensor.is_leaf());
  }
  EXPECT_EQ(arena.gradients().abs().sum().item<float>(), 0.0F);
  EXPECT_EQ(arena.stats().numel(), kNumStats);
  EXPECT_NO_THROW(arena.check_views());
}

TEST_F(ArenaTest, BackwardAddsInPlaceAlsoTheSecondTime) {
  Arena arena = make();
  at::Tensor& weight = parameters_[0].tensor;
  for (int pass = 1; pass <= 2; ++pass) {
    (weight * 3).sum().backward();
    EXPECT_NO_THROW(arena.check_views());
    EXPECT_EQ(arena.gradients()[0].item<float>(), 3.0F * static_cast<float>(pass));
  }
}

TEST_F(ArenaTest, AccumulatesTransposedAndExpandedGradientsInPlace) {
  Arena arena = make();
  at::Tensor& weight = parameters_[0].tensor;  // (7, 13)
  const at::Tensor input = at::randn({13, 4});
  (weight.t().contiguous().t().matmul(input)).sum().backward();  // gradient comes expanded
  weight.t().mul(at::randn({13, 7})).sum().backward();           // and transposed
  EXPECT_NO_THROW(arena.check_views());
  EXPECT_TRUE(weight.grad().is_contiguous());
}

TEST_F(ArenaTest, NoticesAReplacedGradient) {
  Arena arena = make();
  parameters_[2].tensor.mutable_grad().reset();  // what zero_grad() does
  try {
    arena.check_views();
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kInternal);
    EXPECT_THAT(error.what(), testing::HasSubstr("pos_embed"));
  }
}

TEST_F(ArenaTest, NoticesReplacedData) {
  Arena arena = make();
  parameters_[1].tensor.set_data(at::randn({7}));
  EXPECT_THROW(arena.check_views(), Error);
}

TEST_F(ArenaTest, RefusesParametersOfOtherTypesByName) {
  parameters_[3].tensor = at::randn({3, 2}, at::kDouble).requires_grad_(true);
  try {
    make();
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kConfig);
    EXPECT_THAT(error.what(), testing::HasSubstr("block.weight"));
  }
}

TEST_F(ArenaTest, ParametersMayOutliveIt) {
  { const Arena arena = make(); }
  const at::NoGradGuard no_grad;
  parameters_[0].tensor.fill_(2.0);
  EXPECT_EQ(parameters_[0].tensor.sum().item<float>(), 2.0F * 7 * 13);
}

}  // namespace
}  // namespace lockstep::optim
