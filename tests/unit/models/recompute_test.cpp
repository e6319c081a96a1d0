// That recomputed blocks give what plain ones give, and hold less. A case is a function that is run
// twice, with a wrapper that calls a block plainly and one that recomputes it.
#include <lockstep/models/recompute.h>

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <thread>
#include <tuple>

namespace lockstep::models {
namespace {

using Tensors = std::vector<at::Tensor>;

const auto plainly = [](auto block, const auto&... inputs) { return block(inputs...); };
const auto again = [](auto block, const auto&... inputs) { return recompute(block, inputs...); };

at::Tensor leaf(std::initializer_list<std::int64_t> sizes) {
  return at::randn(sizes).requires_grad_();
}

// `run(wrapper)` returns tensors; both ways must give the same bits.
template <class Run>
void expect_equal(const Run& run) {
  at::manual_seed(5);
  const Tensors expected = run(plainly);
  at::manual_seed(5);
  const Tensors found = run(again);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].defined(), expected[i].defined()) << i;
    if (found[i].defined()) {
      EXPECT_TRUE(found[i].equal(expected[i])) << i;
    }
  }
}

TEST(Recompute, ManyInputsAndOutputsOfAllKinds) {
  expect_equal([](const auto& wrap) {
    at::Tensor x = leaf({4, 8});
    at::Tensor table = leaf({10, 8});
    const at::Tensor plain = at::randn({8});
    const at::Tensor rows = at::randint(10, {4});
    const auto block = [](const at::Tensor& a,
                          const at::Tensor& t,
                          const at::Tensor& b,
                          const at::Tensor& i,
                          const at::Tensor& none,
                          const Tensors& more,
                          const std::optional<at::Tensor>& maybe,
                          double factor) {
      EXPECT_FALSE(none.defined());
      const at::Tensor sum = (a.tanh() * b + t.index_select(0, i)).sigmoid() * factor;
      return std::tuple(sum * more[0], at::Tensor(), sum.argmax(1), maybe->exp() * sum);
    };
    const auto [y, none, best, z] = wrap(block,
                                         x * 1,
                                         table,
                                         plain,
                                         rows,
                                         at::Tensor(),
                                         Tensors{x.sin(), plain},
                                         std::optional(x.cos()),
                                         0.5);
    EXPECT_FALSE(none.defined());
    (y.sum() + (z * z).sum()).backward();
    return Tensors{y, best, z, x.grad(), table.grad()};
  });
}

// Frozen, shared and captured parameters; hooks on tensors and on accumulators.
TEST(Recompute, ParametersGetOneGradientAndHooksFireOnce) {
  struct CountingHook final : torch::autograd::FunctionPostHook {
    explicit CountingHook(int& count) : count_(count) {}
    Tensors operator()(const Tensors& outputs, const Tensors& /*inputs*/) override {
      ++count_;
      return outputs;
    }
    int& count_;
  };
  expect_equal([](const auto& wrap) {
    at::Tensor shared = leaf({6, 6});
    at::Tensor own = leaf({6, 6});
    const at::Tensor frozen = at::randn({6, 6});
    int accumulated = 0;
    int hooked = 0;
    const auto accumulator = torch::autograd::impl::grad_accumulator(shared);
    accumulator->add_post_hook(std::make_unique<CountingHook>(accumulated));
    shared.register_hook([&](const at::Tensor& g) {
      ++hooked;
      return g * 2;
    });
    at::Tensor x = at::randn({3, 6});
    const auto block = [&](const at::Tensor& in) {
      return at::gelu(in.mm(shared)).mm(frozen).tanh().mm(own);
    };
    x = wrap(block, x);
    x = wrap(block, x);  // the same block twice
    x = wrap([&](const at::Tensor& in) { return in.mm(shared).relu(); }, x);
    x.sum().backward();
    EXPECT_EQ(accumulated, 1);
    EXPECT_EQ(hooked, 1);
    return Tensors{x, shared.grad(), own.grad()};
  });
}

TEST(Recompute, NestedBlocks) {
  int runs = 0;
  expect_equal([&](const auto& wrap) {
    at::Tensor w = leaf({5, 5});
    at::Tensor x = leaf({2, 5});
    const auto inner = [&](const at::Tensor& in) {
      ++runs;
      return at::gelu(in.mm(w)).sin();
    };
    const auto outer = [&](const at::Tensor& in) {
      return wrap(inner, wrap(inner, in.exp()) * in).tanh();
    };
    const at::Tensor y = wrap(outer, wrap(outer, x));
    y.sum().backward();
    return Tensors{y, x.grad(), w.grad()};
  });
  // Plain: 4. Recomputed: 4, again in the outer blocks' second runs, and for themselves.
  EXPECT_EQ(runs, 4 + 12);
}

TEST(Recompute, RandomNumbersAreDrawnOnce) {
  expect_equal([](const auto& wrap) {
    at::Tensor x = leaf({64});
    const at::Tensor y =
        wrap([](const at::Tensor& in) { return at::dropout(in.exp(), 0.5, true).sin(); }, x);
    const at::Tensor between = at::rand({4});
    y.sum().backward();
    return Tensors{y, x.grad(), between, at::rand({4})};
  });
  at::manual_seed(1);
  at::Tensor x = at::ones({1000}).requires_grad_();
  RecomputeOptions options;
  options.keep_random_state = false;
  const auto drop = [](const at::Tensor& in) { return at::dropout(in, 0.5, true).exp(); };
  recompute(options, drop, x).sum().backward();
  at::manual_seed(1);
  at::Tensor twin = at::ones({1000}).requires_grad_();
  drop(twin).sum().backward();
  EXPECT_FALSE(x.grad().equal(twin.grad())) << "the state was kept: the case above says nothing";
}

TEST(Recompute, UnderAutocast) {
  expect_equal([](const auto& wrap) {
    at::Tensor w = leaf({16, 16});
    at::Tensor x = leaf({4, 16});
    const auto block = [&](const at::Tensor& in) {
      const at::Tensor y = at::gelu(in.mm(w));
      EXPECT_EQ(y.scalar_type(), at::kBFloat16);
      return at::layer_norm(y.mm(w), {16});
    };
    at::Tensor y;
    at::autocast::increment_nesting();
    at::autocast::set_autocast_enabled(at::kCPU, true);
    y = wrap(block, wrap(block, x));
    at::autocast::set_autocast_enabled(at::kCPU, false);
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    y.sum().backward();
    return Tensors{y, w.grad(), x.grad()};
  });
}

struct Scaled : torch::nn::Module {
  at::Tensor factor = register_parameter("factor", at::full({3}, 2.0));
  at::Tensor forward(const at::Tensor& x) {
    ++calls;
    return (x * factor).exp();
  }
  int calls = 0;
};

TEST(Recompute, TakesModulesByPointer) {
  const auto module = std::make_shared<Scaled>();
  recompute(module, at::ones({3})).sum().backward();
  EXPECT_EQ(module->calls, 2);
  EXPECT_TRUE(at::allclose(module->factor.grad(), at::full({3}, std::exp(2.0))));
}

TEST(Recompute, WithoutGradientModeIsAPlainCall) {
  const auto module = std::make_shared<Scaled>();
  {
    const at::NoGradGuard no_gradient;
    EXPECT_FALSE(recompute(module, at::ones({3})).requires_grad());
  }
  const at::Tensor x = at::ones({3});
  EXPECT_FALSE(recompute([](const at::Tensor& in) { return in * in; }, x).requires_grad());
  EXPECT_EQ(module->calls, 1);
}

TEST(Recompute, StopsAtTheLastTensorThatIsNeeded) {
  int tail = 0;
  at::Tensor x = leaf({3});
  const auto block = [&](const at::Tensor& in) {
    const at::Tensor saved = in.exp();
    ++tail;
    return saved + 1;
  };
  recompute(block, x).sum().backward();
  EXPECT_EQ(tail, 1);
}

TEST(Recompute, RetainedGraphsGoBackwardAgain) {
  expect_equal([](const auto& wrap) {
    at::Tensor x = leaf({7});
    const at::Tensor y = wrap([](const at::Tensor& in) { return in.exp().sin() * in; }, x * 1);
    y.sum().backward({}, /*retain_graph=*/true);
    y.sum().backward();
    return Tensors{x.grad()};
  });
}

TEST(Recompute, BackwardThroughBackward) {
  expect_equal([](const auto& wrap) {
    at::Tensor w = leaf({4, 4});
    at::Tensor x = leaf({4, 4});
    const at::Tensor y = wrap([&](const at::Tensor& in) { return in.mm(w).exp().tanh(); }, x * 2);
    const at::Tensor slope = torch::autograd::grad({y.sum()}, {x}, {}, true, true)[0];
    (slope * slope).sum().backward();
    return Tensors{y, slope, x.grad(), w.grad()};
  });
}

TEST(Recompute, BackwardInsideTheBlock) {
  expect_equal([](const auto& wrap) {
    at::Tensor w = leaf({4, 4});
    const auto penalty = [&](const at::Tensor& in) {
      const at::Tensor y = in.mm(w).tanh();
      const at::Tensor slope = torch::autograd::grad({y.sum()}, {in}, {}, true, true)[0];
      return (slope * slope).sum() + y.sum();
    };
    at::Tensor x = leaf({4, 4});
    const at::Tensor loss = wrap(penalty, x * 1);
    loss.backward();
    return Tensors{loss, w.grad(), x.grad()};
  });
}

TEST(Recompute, ChangesInPlaceInsideTheBlock) {
  expect_equal([](const auto& wrap) {
    at::Tensor x = leaf({3, 4});
    const auto block = [](const at::Tensor& in) {
      at::Tensor y = in * 3;
      y.add_(1).relu_();
      at::Tensor z = y + 1;
      z.select(0, 1).mul_(in[0]);
      return z.sin();
    };
    const at::Tensor y = wrap(block, wrap(block, x));
    y.sum().backward();
    return Tensors{y, x.grad()};
  });
}

TEST(Recompute, PartOfTheGraph) {
  expect_equal([](const auto& wrap) {
    at::Tensor x = leaf({3});
    at::Tensor w = leaf({3});
    const auto block = [](const at::Tensor& in, const at::Tensor& by) {
      return std::pair(in.exp() * by, by.sin().cos());
    };
    const auto [y, unused] = wrap(block, x * 1, w * 1);
    return Tensors{torch::autograd::grad({y.sum()}, {x})[0]};
  });
}

TEST(Recompute, OnManyThreads) {
  at::Tensor w = leaf({8, 8});
  const auto block = [&w](const at::Tensor& in) { return in.mm(w).tanh().sin(); };
  const auto gradient = [&block](bool recomputed) {
    const at::Tensor x = at::ones({2, 8}).requires_grad_();
    at::Tensor y = x;
    for (int i = 0; i < 20; ++i) y = recomputed ? recompute(block, y) : block(y);
    return torch::autograd::grad({y.sum()}, {x})[0];
  };
  const at::Tensor plain = gradient(false);
  std::array<at::Tensor, 4> found;
  std::vector<std::thread> threads;
  for (at::Tensor& one : found) threads.emplace_back([&] { one = gradient(true); });
  for (std::thread& thread : threads) thread.join();
  for (const at::Tensor& one : found) EXPECT_TRUE(one.equal(plain));
}

// Storages that live, watched through weak handles.
TEST(Recompute, HoldsInputsAloneAndLetsGoOfAll) {
  std::vector<c10::weak_intrusive_ptr<c10::TensorImpl>> made;
  const auto living = [&made] {
    return std::ranges::count_if(made, [](const auto& weak) { return !weak.expired(); });
  };
  const auto watch = [&made](const at::Tensor& x) {
    made.emplace_back(x.getIntrusivePtr());
    return x;
  };
  at::Tensor w = leaf({4, 4});
  at::Tensor x = leaf({4, 4});
  const auto block = [&](const at::Tensor& in) { return watch(watch(in.mm(w)).exp()).mm(w) + 1; };
  const auto token = std::make_shared<int>(0);
  at::Tensor y = recompute([block, token](const at::Tensor& in) { return block(in); }, x * 1);
  EXPECT_EQ(living(), 0);
  EXPECT_EQ(token.use_count(), 2);
  y.sum().backward();
  EXPECT_EQ(living(), 0);
  EXPECT_EQ(token.use_count(), 1) << "the block outlives backward";
  y = recompute([block, token](const at::Tensor& in) { return block(in); }, x * 1);
  y.reset();
  EXPECT_EQ(token.use_count(), 1) << "a graph that was never used is a cycle";
}

}  // namespace
}  // namespace lockstep::models
