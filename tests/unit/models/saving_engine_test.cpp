#include "models/saving_engine.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/engine.h>

#include <thread>

namespace lockstep::models {
namespace {

// Keeps what is saved, and counts.
class CountingSaver final : public TensorSaver {
 public:
  std::unique_ptr<torch::autograd::SavedVariableHooks> hooks() override {
    return std::make_unique<Hooks>(saved);
  }
  int saved = 0;

 private:
  class Hooks final : public torch::autograd::SavedVariableHooks {
   public:
    explicit Hooks(int& saved) : saved_(saved) {}
    void call_pack_hook(const at::Tensor& x) override {
      ++saved_;
      value_ = x.detach();
    }
    at::Tensor call_unpack_hook() override { return value_; }

   private:
    int& saved_;
    at::Tensor value_;
  };
};

TEST(SavingEngine, AScopeSeesWhatIsSavedInIt) {
  at::Tensor x = at::ones({3}).requires_grad_();
  CountingSaver outer;
  CountingSaver inner;
  at::Tensor y;
  {
    const SaverScope outer_scope(&outer);
    y = x * x;  // saves x twice
    {
      const SaverScope inner_scope(&inner);
      y = y.exp();  // saves its result
    }
    {
      const SaverScope none(nullptr);
      y = y.sin();
    }
    std::thread([&] { (x * x).sum().backward(); }).join();
  }
  y = y.cos();
  EXPECT_EQ(outer.saved, 2);
  EXPECT_EQ(inner.saved, 1);
  x.mutable_grad().reset();
  y.sum().backward();
  at::Tensor twin = at::ones({3}).requires_grad_();
  (twin * twin).exp().sin().cos().sum().backward();
  EXPECT_TRUE(x.grad().equal(twin.grad()));
}

torch::autograd::Engine& base_engine() { return torch::autograd::Engine::get_base_engine(); }

TEST(SavingEngine, ComesBackWhenAnotherEngineTookItsSeat) {
  CountingSaver saver;
  at::Tensor x = at::ones({3}).requires_grad_();
  { const SaverScope scope(&saver); }
  torch::autograd::set_default_engine_stub(base_engine);
  {
    const SaverScope scope(&saver);
    (x * x).sum().backward();
  }
  EXPECT_EQ(saver.saved, 2);
}

}  // namespace
}  // namespace lockstep::models
