// N ranks and one rank with the same global batch train alike: reducer, clipping and AdamW
// together.
#include <lockstep/optim/optimizer.h>
#include <lockstep/parallel/reducer.h>

#include <gtest/gtest.h>
#include <support/test_world.h>
#include <support/tiny_model.h>

namespace lockstep {
namespace {

using test::world;

constexpr std::int64_t kGlobalBatch = 24;
constexpr std::int64_t kLossSlot = 0;
constexpr std::int64_t kBadFlag = 1;

// A model, its arena, reducer and optimizer in one world.
class Replica {
 public:
  explicit Replica(comm::World& in)
      : world_(in), mesh_(in.open_mesh({}, {&gpu::host_backend(), 0}, false)) {
    at::manual_seed(11);
    chain_ = std::make_shared<test::TinyChain>(std::vector<std::int64_t>{12, 48, 48, 4});
    const auto parameters = parallel::parameters_of(*chain_);
    std::vector<std::int64_t> counts;
    for (const auto& p : parameters) counts.push_back(p.tensor.numel());
    parallel::PlanOptions plan;
    plan.first_bucket_bytes = 1 << 10;
    plan.bucket_bytes = 8 << 10;
    plan.group_size = mesh_.data().size();
    const auto order = parallel::probe_backward_order(world_, parameters, [&] {
      return chain_->forward(at::ones({1, 12})).sum();
    });
    const parallel::BucketPlan buckets = parallel::plan_buckets(counts, order, plan);
    arena_ = std::make_unique<optim::Arena>(world_, parameters, buckets.layout, at::kCPU);
    optim::Options options;
    options.clip_norm = 0.5;
    optimizer_ = optim::make_optimizer(*arena_, options, {}, kBadFlag);
    reducer_ = std::make_unique<parallel::Reducer>(world_, mesh_.data(), *arena_, buckets);
    reducer_->on_bucket_reduced(
        [this](std::int64_t begin, std::int64_t end) { optimizer_->add_norm(begin, end); });
  }

  // One step over this rank's part of (x, y), in `micros` pieces; the loss of the global batch.
  double step(std::int64_t number, const at::Tensor& x, const at::Tensor& y, std::int64_t micros) {
    const std::int64_t share = kGlobalBatch / mesh_.data().size();
    const std::int64_t piece = share / micros;
    for (std::int64_t m = 0; m < micros; ++m) {
      const std::int64_t begin = mesh_.data().rank() * share + m * piece;
      const at::Tensor output = chain_->forward(x.narrow(0, begin, piece));
      const at::Tensor loss =
          (output - y.narrow(0, begin, piece)).square().sum() / static_cast<double>(kGlobalBatch);
      reducer_->begin_micro(m + 1 == micros);
      arena_->stats().select(0, kLossSlot).add_(loss.detach());
      loss.backward();
    }
    reducer_->finalize(nullptr);
    const double loss = arena_->stats()[kLossSlot].item<double>();
    optimizer_->update({number, 2e-3});
    return loss;
  }
  const at::Tensor& parameters() { return arena_->parameters(); }
  double grad_norm() { return optimizer_->report().grad_norm; }

 private:
  comm::World& world_;
  comm::Mesh mesh_;
  std::shared_ptr<test::TinyChain> chain_;
  std::unique_ptr<optim::Arena> arena_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::unique_ptr<parallel::Reducer> reducer_;
};

void expect_equal_training(std::int64_t micros) {
  const auto solo = comm::open_solo_world();
  Replica one(*solo);
  Replica many(world());
  at::manual_seed(3);
  double first_loss = 0;
  double last_loss = 0;
  for (std::int64_t number = 1; number <= 100; ++number) {
    const at::Tensor x = at::randn({kGlobalBatch, 12});
    const at::Tensor y = at::tanh(x.narrow(1, 0, 4) * 1.5);
    const double expected = one.step(number, x, y, 1);
    const double actual = many.step(number, x, y, micros);
    ASSERT_NEAR(actual / expected, 1.0, 2e-6) << "step " << number;
    ASSERT_NEAR(many.grad_norm() / one.grad_norm(), 1.0, 1e-5) << "step " << number;
    if (number == 1) first_loss = actual;
    last_loss = actual;
  }
  EXPECT_LT(last_loss, 0.7 * first_loss) << "it learns";
}

TEST(DataParallel, RanksEqualOneRankWithTheSameGlobalBatch) { expect_equal_training(1); }

TEST(DataParallel, RanksThatAccumulateEqualOneRankToo) { expect_equal_training(3); }

}  // namespace
}  // namespace lockstep
