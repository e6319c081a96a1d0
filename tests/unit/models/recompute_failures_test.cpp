// What a recomputed block does wrong reaches whoever called backward, and leaves nothing behind.
#include <lockstep/base/error.h>
#include <lockstep/models/recompute.h>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace lockstep::models {
namespace {

template <class Call>
std::string words_of(const Call& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

testing::AssertionResult says(const std::string& text, const char* part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "\"" << part << "\" is not in: " << text;
}

TEST(RecomputeFailures, AnExceptionOfTheSecondRunReachesTheCaller) {
  at::Tensor x = at::ones({3}).requires_grad_();
  bool fails = false;
  const auto block = [&](const at::Tensor& in) {
    const at::Tensor out = in.exp().sin();
    if (fails) throw std::length_error("too long");
    return out.exp();
  };
  const at::Tensor y = recompute(block, x * 1);
  fails = true;
  at::manual_seed(2);
  EXPECT_THROW(y.sum().backward({}, true), std::length_error);
  EXPECT_TRUE(c10::GradMode::is_enabled());
  const at::Tensor drawn = at::rand({2});
  at::manual_seed(2);
  EXPECT_TRUE(at::rand({2}).equal(drawn)) << "the generator was moved";
  fails = false;
  y.sum().backward();  // the frame is as good as new
  at::Tensor twin = at::ones({3}).requires_grad_();
  block(twin).sum().backward();
  EXPECT_TRUE(x.grad().equal(twin.grad()));
}

TEST(RecomputeFailures, AnExceptionOfTheFirstRunLeavesNothingInForce) {
  at::Tensor x = at::ones({3}).requires_grad_();
  EXPECT_THROW(recompute([](const at::Tensor&) -> at::Tensor { throw std::length_error("no"); }, x),
               std::length_error);
  const at::Tensor y = x.exp();
  {
    const at::NoGradGuard no_gradient;
    y.zero_();
  }
  // Would not be seen if the tensor had been forgotten.
  EXPECT_TRUE(says(words_of([&] { y.sum().backward(); }), "modified by an inplace operation"));
}

TEST(RecomputeFailures, OtherThingsThatAreThrownBecomeAnError) {
  at::Tensor x = at::ones({3}).requires_grad_();
  int runs = 0;
  const at::Tensor y = recompute(
      [&](const at::Tensor& in) {
        if (++runs == 2) throw 7;
        return in.exp();
      },
      x);
  EXPECT_TRUE(says(words_of([&] { y.sum().backward(); }), "no std::exception"));
}

TEST(RecomputeFailures, InputsChangedInPlaceAreFound) {
  at::Tensor x = at::ones({3}).requires_grad_();
  at::Tensor plain = at::ones({3});
  const at::Tensor y =
      recompute([](const at::Tensor& a, const at::Tensor& b) { return (a * b).exp(); }, x, plain);
  plain.add_(1);
  EXPECT_TRUE(
      says(words_of([&] { y.sum().backward(); }),
           "input 1 of a recomputed block was changed in place since it ran (version 2, was 1)"));
}

TEST(RecomputeFailures, ABlockThatChangesItsInputIsFound) {
  at::Tensor x = at::ones({3}).requires_grad_();
  const auto block = [](at::Tensor in) { return in.mul_(2).exp(); };
  const at::Tensor y = recompute(block, x * 1);
  EXPECT_TRUE(says(words_of([&] { y.sum().backward(); }), "input 0 of a recomputed block"));
}

TEST(RecomputeFailures, CapturedTensorsChangedInPlaceAreFound) {
  at::Tensor x = at::ones({3}).requires_grad_();
  at::Tensor parameter = at::ones({3}).requires_grad_();
  at::Tensor plain = at::ones({3});
  for (at::Tensor* captured : {&parameter, &plain}) {
    const at::Tensor y = recompute([&](const at::Tensor& in) { return in * *captured; }, x);
    {
      const at::NoGradGuard no_gradient;
      captured->add_(1);
    }
    EXPECT_TRUE(says(words_of([&] { y.sum().backward(); }), "changed in place"));
  }
}

TEST(RecomputeFailures, BlocksThatDoNotRepeatThemselvesAreFound) {
  at::Tensor x = at::ones({4}).requires_grad_();
  int runs = 0;
  const auto shorter = [&](const at::Tensor& in) {
    return in.narrow(0, 0, 4 - runs++).exp().sin();
  };
  at::Tensor y = recompute(shorter, x);
  EXPECT_TRUE(says(words_of([&] { y.sum().backward(); }), "saved tensor 0 was [4] Float"));
  runs = 0;
  const auto less = [&](const at::Tensor& in) { return runs++ == 0 ? in.exp().sin() : in.exp(); };
  y = recompute(less, x);
  EXPECT_TRUE(says(words_of([&] { y.sum().backward(); }), "saved fewer than 2 tensors"));
}

}  // namespace
}  // namespace lockstep::models
