#include <lockstep/base/error.h>
#include <lockstep/parallel/reducer.h>

#include <gmock/gmock.h>
#include <support/tiny_model.h>

namespace lockstep::parallel {
namespace {

class ProbeTest : public testing::Test {
 protected:
  std::unique_ptr<comm::World> world_ = comm::open_solo_world();
};

TEST_F(ProbeTest, FindsTheLastLayerFirst) {
  test::TinyChain chain({4, 5, 6, 2});
  const auto parameters = parameters_of(chain);
  const auto order = probe_backward_order(*world_, parameters, [&] {
    return chain.forward(at::randn({3, 4})).sum();
  });
  std::vector<std::string> layers;
  for (const std::int64_t i : order) {
    const std::string& name = parameters[static_cast<std::size_t>(i)].name;
    layers.push_back(name.substr(0, name.find('_')));
  }
  EXPECT_THAT(layers,
              testing::ElementsAre("layer2", "layer2", "layer1", "layer1", "layer0", "layer0"));
}

TEST_F(ProbeTest, PutsUnusedParametersLastAndClearsGradients) {
  test::SharedAndUnused module;
  const auto parameters = parameters_of(module);
  const auto order = probe_backward_order(*world_, parameters, [&] {
    return module.forward(at::randn({3, 6})).sum();
  });
  EXPECT_THAT(order, testing::ElementsAre(2, 0, 1));  // last, first, unused
  for (const auto& p : parameters) EXPECT_FALSE(p.tensor.grad().defined());
}

TEST_F(ProbeTest, ALossThatFailsIsAnErrorAndLeavesNoHooks) {
  test::TinyChain chain({4, 2});
  const auto parameters = parameters_of(chain);
  EXPECT_THROW(probe_backward_order(
                   *world_, parameters, []() -> at::Tensor { throw data_error("no such batch"); }),
               Error);
  EXPECT_NO_THROW(chain.forward(at::randn({3, 4})).sum().backward());
}

}  // namespace
}  // namespace lockstep::parallel
