// Optimizer state spread over ranks (ZeRO stage 1) against optimizer state on every rank: the same
// training, and no rank left behind when one fails in any bucket.
#include <lockstep/base/error.h>
#include <lockstep/optim/optimizer.h>
#include <lockstep/parallel/reducer.h>
#include <lockstep/parallel/shard.h>

#include <gtest/gtest.h>
#include <support/test_world.h>
#include <support/tiny_model.h>

#include <limits>
#include <map>

namespace lockstep::parallel {
namespace {

using test::world;

constexpr std::int64_t kBadFlag = 1;
constexpr int kSteps = 40;

struct Way {
  bool sharded = false;
  comm::DType wire = comm::DType::kF32;
  std::string backend = "auto";
  std::string compute = "fp32";
  std::string optimizer = "adamw";
  double ema_decay = 0;
};

// A model of odd sizes with its arena, reducer and optimizer, in buckets of about a layer.
class Replica {
 public:
  explicit Replica(const Way& way)
      : mesh_(world().open_mesh(options_of(way), {&gpu::host_backend(), 0}, false)) {
    at::manual_seed(11);
    chain_ = std::make_unique<test::TinyChain>(std::vector<std::int64_t>{13, 47, 45, 3});
    parameters_ = parameters_of(*chain_);
    std::vector<std::int64_t> counts;
    for (const auto& p : parameters_) counts.push_back(p.tensor.numel());
    PlanOptions plan;
    plan.first_bucket_bytes = 1 << 10;
    plan.bucket_bytes = 8 << 10;
    plan.group_size = group().size();
    plan_ = plan_buckets(counts,
                         probe_backward_order(world(),
                                              parameters_,
                                              [&] {
                                                return chain_->forward(at::ones({1, 13})).sum();
                                              }),
                         plan);
    arena_ = std::make_unique<optim::Arena>(world(), parameters_, plan_.layout, at::kCPU);
    optim::Shard shard;
    if (way.sharded) shard = make_shard(world(), group(), *arena_, plan_);
    optim::Options options;
    options.name = way.optimizer;
    options.ema_decay = way.ema_decay;
    options.clip_norm = 0.5;
    optim::PrecisionOptions precision;
    precision.compute = way.compute;
    precision.scale_growth_steps = 5;
    optimizer_ = optim::make_optimizer(*arena_, options, precision, kBadFlag, shard);
    reducer_ = std::make_unique<Reducer>(world(), group(), *arena_, plan_, way.wire, way.sharded);
    reducer_->on_bucket_reduced(
        [this](std::int64_t begin, std::int64_t end) { optimizer_->add_norm(begin, end); });
  }

  // This rank's loss of step `number`; each rank has samples of its own.
  at::Tensor loss(std::int64_t number) {
    at::manual_seed(static_cast<std::uint64_t>(1000 * number + world().rank()));
    const at::Tensor x = at::randn({6, 13});
    const at::Tensor y = at::tanh(x.narrow(1, 0, 3) * 1.5);
    return (chain_->forward(x) - y).square().sum() / (6.0 * world().size()) *
           optimizer_->loss_scale();
  }
  void step(std::int64_t number, int micros = 1) {
    for (int m = 0; m < micros; ++m) {
      reducer_->begin_micro(m + 1 == micros);
      loss(number * 10 + m).backward();
    }
    close(number);
  }
  // A step in which `fails` breaks off this rank's backward pass.
  void broken_step(std::int64_t number, bool fails) {
    reducer_->begin_micro(true);
    try {
      loss(number).backward();
      EXPECT_FALSE(fails);
    } catch (const std::exception&) {
      EXPECT_TRUE(fails);
      reducer_->abandon(kBadFlag);
    }
    close(number);
  }
  void close(std::int64_t number) {
    reducer_->finalize(nullptr);
    optimizer_->update({number, 2e-3});
    reducer_->gather_parameters(nullptr);
  }

  comm::Group& group() { return mesh_.data(); }
  at::Tensor& values() { return arena_->parameters(); }
  static comm::Options options_of(const Way& way) {
    comm::Options options;
    options.backend = way.backend;
    return options;
  }

  comm::Mesh mesh_;
  std::unique_ptr<test::TinyChain> chain_;
  std::vector<optim::NamedParameter> parameters_;
  BucketPlan plan_;
  std::unique_ptr<optim::Arena> arena_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::unique_ptr<Reducer> reducer_;
};

void expect_equal_on_all_ranks(const at::Tensor& values) {
  at::Tensor first = values.clone();
  comm::broadcast(world().control(),
                  std::as_writable_bytes(std::span(first.mutable_data_ptr<float>(),
                                                   static_cast<std::size_t>(first.numel()))),
                  0);
  EXPECT_TRUE(first.equal(values)) << "rank " << world().rank() << " has other parameters";
}

// Sums are taken in the same order where one host's ranks share memory.
bool same_order() { return world().local_size() == world().size(); }

// Parameters differ by at most `limit`; 0: not by a bit, nor do norms but for the order of a sum in
// double.
void expect_equal_training(Way way, int micros, double limit) {
  way.sharded = false;
  Replica whole(way);
  way.sharded = true;
  Replica parts(way);
  for (int number = 1; number <= kSteps; ++number) {
    whole.step(number, micros);
    parts.step(number, micros);
    const double norm = whole.optimizer_->report().grad_norm;
    ASSERT_NEAR(parts.optimizer_->report().grad_norm / norm, 1.0, limit > 0 ? limit : 1e-14);
    const double worst = (whole.values() - parts.values()).abs().max().item<double>();
    ASSERT_LE(worst, limit) << "step " << number;
  }
  EXPECT_EQ(parts.arena_->gradients().abs().sum().item<float>(), 0.0F);
  expect_equal_on_all_ranks(parts.values());
}

TEST(Zero, TrainsAsWithoutIt) { expect_equal_training({}, 1, same_order() ? 0 : 1e-6); }

TEST(Zero, TrainsAsWithoutItWithEveryOptimizer) {
  for (const std::string& name : optim::optimizer_names()) {
    SCOPED_TRACE(name);
    Way way;
    way.optimizer = name;
    // Between hosts a sign of Lion's may turn over by rounding: two steps of 2e-3.
    const double limit = name == "lion" ? 1e-2 : 1e-6;
    expect_equal_training(way, 1, same_order() ? 0 : limit);
  }
}

// The average too is spread over ranks; swapped in and gathered it is whole, and swapped back.
TEST(Zero, AveragesAsWithoutIt) {
  Way way;
  way.ema_decay = 0.8;
  Replica whole(way);
  way.sharded = true;
  Replica parts(way);
  for (int number = 1; number <= 10; ++number) {
    whole.step(number);
    parts.step(number);
  }
  const at::Tensor trained = parts.values().clone();
  for (Replica* replica : {&whole, &parts}) {
    replica->optimizer_->swap_average();
    replica->reducer_->gather_parameters(nullptr);
  }
  EXPECT_LE((whole.values() - parts.values()).abs().max().item<double>(), same_order() ? 0 : 1e-6);
  EXPECT_GT((parts.values() - trained).abs().max().item<double>(), 0);
  expect_equal_on_all_ranks(parts.values());
  parts.optimizer_->swap_average();
  parts.reducer_->gather_parameters(nullptr);
  EXPECT_TRUE(parts.values().equal(trained));
}

TEST(Zero, TrainsAsWithoutItWhenRanksAccumulate) {
  expect_equal_training({}, 3, same_order() ? 0 : 1e-6);
}

TEST(Zero, TrainsAsWithoutItOnA16BitWire) {
  Way way;
  way.wire = comm::DType::kBF16;
  // Between hosts an all-reduce rounds once more than a reduce-scatter: by 2^-8 of a gradient.
  expect_equal_training(way, 1, same_order() ? 0 : 4e-3);
}

// The loss scale grows alike.
TEST(Zero, TrainsAsWithoutItUnderALossScale) {
  Way way;
  way.compute = "fp16";
  expect_equal_training(way, 1, same_order() ? 0 : 1e-6);
}

// MPI's own all-reduce of a small bucket adds in an order of its own.
TEST(Zero, TrainsAsWithoutItByMessages) {
  Way way;
  way.backend = "mpi";
  expect_equal_training(way, 1, 1e-6);
}

// [begin, end) of a parameter's moments, from the name of a part.
std::pair<std::string, std::pair<std::int64_t, std::int64_t>> part_of(const std::string& name,
                                                                      std::int64_t count) {
  const std::size_t open = name.find('[');
  if (open == std::string::npos) return {name, {0, count}};
  const std::size_t colon = name.find(':', open);
  return {name.substr(0, open),
          {std::stoll(name.substr(open + 1)), std::stoll(name.substr(colon + 1))}};
}

TEST(Zero, PartsOfTheStateAreThoseOfTheWholeState) {
  Replica whole({});
  Way way;
  way.sharded = true;
  Replica parts(way);
  for (int number = 1; number <= 3; ++number) {
    whole.step(number);
    parts.step(number);
  }
  std::map<std::string, at::Tensor> expected;
  std::vector<std::string> names;
  for (const auto& entry : whole.optimizer_->state()) {
    expected[entry.name] = entry.tensor.reshape({-1});
    names.push_back(entry.name);
  }
  std::map<std::string, std::int64_t> covered;
  for (const auto& entry : parts.optimizer_->state()) {
    const auto [name, range] = part_of(entry.name, entry.tensor.numel());
    ASSERT_TRUE(expected.contains(name)) << entry.name;
    const at::Tensor part = expected[name].slice(0, range.first, range.second);
    const at::Tensor found = entry.tensor.reshape({-1});
    EXPECT_TRUE(same_order() ? found.equal(part) : found.allclose(part, 1e-4, 1e-6)) << entry.name;
    covered[name] += found.numel();
  }
  for (const std::string& name : names) {
    std::vector<std::int64_t> sum{covered[name]};
    comm::all_reduce(world().control(), std::span(sum), comm::ReduceOp::kSum);
    const bool scalar = name.find("exp_avg") == std::string::npos;
    EXPECT_EQ(sum[0], expected[name].numel() * (scalar ? world().size() : 1)) << name;
  }
  EXPECT_EQ(parts.optimizer_->replicated_state().size(), 3U);
  const std::int64_t elements = parts.plan_.gradients_end / world().size();
  EXPECT_EQ(parts.optimizer_->state_bytes(), elements * 8);
}

// The last rank fails before a parameter of each bucket in turn; all drop the step and go on.
TEST(Zero, AFailureInAnyBucketLeavesAllRanksEqual) {
  for (const comm::DType wire : {comm::DType::kF32, comm::DType::kF16}) {
    Way way;
    way.sharded = true;
    way.wire = wire;
    Replica replica(way);
    replica.step(1);
    const bool failing = world().rank() == world().size() - 1;
    for (std::size_t b = 0; b < replica.plan_.buckets.size(); ++b) {
      const at::Tensor before = replica.values().clone();
      const auto index = static_cast<std::size_t>(replica.plan_.buckets[b].parameters.front());
      unsigned hook = 0;
      at::Tensor tensor = replica.parameters_[index].tensor;
      if (failing) {
        hook = tensor.register_hook([](const at::Tensor&) { throw data_error("no such value"); });
      }
      replica.broken_step(2, failing);
      if (failing) tensor.remove_hook(hook);
      EXPECT_TRUE(replica.optimizer_->report().skipped) << "bucket " << b;
      EXPECT_TRUE(replica.values().equal(before)) << "bucket " << b;
      EXPECT_EQ(replica.arena_->gradients().abs().sum().item<float>(), 0.0F);
    }
    replica.step(3);
    EXPECT_FALSE(replica.optimizer_->report().skipped);
    expect_equal_on_all_ranks(replica.values());
  }
}

// Only the rank that owns the element sees it; all skip.
TEST(Zero, ANonFiniteGradientInAnyBucketIsSkippedByAllRanks) {
  Way way;
  way.sharded = true;
  way.compute = "fp16";
  Replica replica(way);
  replica.step(1);
  double scale = replica.optimizer_->loss_scale().item<double>();
  for (std::size_t b = 0; b < replica.plan_.buckets.size(); ++b) {
    const at::Tensor before = replica.values().clone();
    const auto index = static_cast<std::size_t>(replica.plan_.buckets[b].parameters.back());
    at::Tensor tensor = replica.parameters_[index].tensor;
    unsigned hook = 0;
    if (world().rank() == 0) {
      hook = tensor.register_hook([](at::Tensor gradient) {
        gradient = gradient.clone();
        gradient.view({-1})[gradient.numel() - 1] = std::numeric_limits<float>::infinity();
        return gradient;
      });
    }
    replica.broken_step(2, false);
    if (world().rank() == 0) tensor.remove_hook(hook);
    EXPECT_TRUE(replica.optimizer_->report().skipped) << "bucket " << b;
    EXPECT_TRUE(replica.values().equal(before)) << "bucket " << b;
    EXPECT_EQ(replica.optimizer_->loss_scale().item<double>(), scale / 2) << "bucket " << b;
    scale /= 2;
  }
  replica.step(3);
  EXPECT_FALSE(replica.optimizer_->report().skipped);
  expect_equal_on_all_ranks(replica.values());
}

TEST(Zero, CountsAsManyBytesAsAnAllReduce) {
  Way way;
  way.sharded = true;
  Replica replica(way);
  replica.step(1);
  EXPECT_EQ(replica.reducer_->take_counters().comm_bytes,
            (replica.plan_.gradients_end + optim::kNumStats) * 4);
}

}  // namespace
}  // namespace lockstep::parallel
