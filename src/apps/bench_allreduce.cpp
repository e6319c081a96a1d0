// lockstep bench allreduce: one all-reduce of the data group, as gradients take it.
#include "trainer_commands.h"

#include <lockstep/base/clock.h>
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/train/run.h>

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <memory>

namespace lockstep::apps {
namespace {

constexpr std::int64_t kDefaultBytes = 4 << 20;
// Calls a block by default: about this many bytes, between the limits.
constexpr std::int64_t kBytesABlock = 512 << 20;
constexpr std::int64_t kLeastCalls = 5;
constexpr std::int64_t kMostCalls = 2000;
// Values repeat with this period; sums over up to 1,600 ranks are exact.
constexpr std::int64_t kPeriod = 13;

struct Plan {
  std::int64_t count = 0;  // fp32 elements
  std::int64_t blocks = 7;
  std::int64_t calls = 0;  // a block
  std::int64_t warmup = 10;
};

Plan make_plan(const config::CommandLine& line) {
  const std::int64_t bytes = whole_number(line, "bytes", kDefaultBytes);
  if (bytes % 4 != 0) throw usage_error(format("--bytes {} is not a multiple of 4 (fp32)", bytes));
  Plan plan;
  plan.count = bytes / 4;
  plan.blocks = whole_number(line, "blocks", plan.blocks);
  plan.warmup = whole_number(line, "warmup", plan.warmup);
  plan.calls =
      whole_number(line, "steps", std::clamp(kBytesABlock / bytes, kLeastCalls, kMostCalls));
  return plan;
}

// The buffer that is reduced, where gradients would lie.
class Buffer {
 public:
  Buffer(comm::World& world, const comm::Device& device, std::int64_t count) {
    if (device.is_cuda()) {
      tensor_ =
          at::empty({count}, at::TensorOptions(at::kFloat).device(train::torch_device(device)));
      return;
    }
    memory_ = world.allocate(static_cast<std::size_t>(count) * sizeof(float));
    tensor_ = at::from_blob(memory_->data(), {count}, at::TensorOptions(at::kFloat));
  }
  // (count) fp32
  at::Tensor& tensor() { return tensor_; }

 private:
  std::unique_ptr<comm::Memory> memory_;
  at::Tensor tensor_;
};

void reduce(comm::Group& group, at::Tensor& buffer, gpu::StreamHandle stream) {
  group
      .all_reduce_async(buffer.data_ptr(),
                        static_cast<std::size_t>(buffer.numel()),
                        comm::DType::kF32,
                        comm::ReduceOp::kSum,
                        stream)
      ->wait(stream);
}

// Every element of one reduction against what it must be. Collective.
void check_sums(comm::World& world, comm::Group& group, at::Tensor& buffer, gpu::Backend& backend) {
  const at::Tensor base =
      at::arange(buffer.numel(), buffer.options().dtype(at::kLong)).remainder(kPeriod);
  buffer.copy_(base * (group.rank() + 1));
  reduce(group, buffer, backend.compute_stream());
  backend.synchronize(backend.compute_stream());
  const std::int64_t ranks = group.size();
  const at::Tensor expected = base * (ranks * (ranks + 1) / 2);
  const std::int64_t wrong = (buffer != expected).sum().item<std::int64_t>();
  comm::agree(world, [wrong] {
    if (wrong > 0) throw internal_error(format("the all-reduce gave {} wrong sums", wrong));
  });
}

// Seconds a call of the slowest rank. Collective.
double time_block(comm::World& world,
                  comm::Group& group,
                  at::Tensor& buffer,
                  gpu::Backend& backend,
                  std::int64_t calls) {
  buffer.zero_();  // sums of zeros do not run away
  backend.synchronize(backend.compute_stream());
  comm::barrier(world.control());
  const Stopwatch watch;
  for (std::int64_t i = 0; i < calls; ++i) reduce(group, buffer, backend.compute_stream());
  backend.synchronize(backend.compute_stream());
  std::array<double, 1> slowest{watch.elapsed_s() / static_cast<double>(calls)};
  comm::all_reduce(world.control(), slowest, comm::ReduceOp::kMax);
  return slowest[0];
}

}  // namespace

int run_bench_allreduce(Invocation& invocation, const config::CommandLine& line) {
  invocation.position.phase = "bench_allreduce";
  comm::World& world = invocation.world;
  const train::RunOptions& run = line.settings.run;
  Plan plan;
  comm::agree(world, [&] { plan = make_plan(line); });
  const comm::Device device = comm::choose_device(world, run.device, run.allow_gpu_sharing);
  comm::Mesh mesh = world.open_mesh(line.settings.comm, device, run.allow_gpu_sharing);
  comm::Group& group = mesh.data();
  Buffer buffer(world, device, plan.count);
  check_sums(world, group, buffer.tensor(), *device.backend);
  time_block(world, group, buffer.tensor(), *device.backend, plan.warmup);
  BenchReport report;
  for (std::int64_t i = 0; i < plan.blocks; ++i) {
    report.blocks.push_back(time_block(world, group, buffer.tensor(), *device.backend, plan.calls));
  }
  report.bench = "allreduce";
  report.unit = "s";
  report.config_json = nlohmann::json{{"ranks", group.size()},
                                      {"bytes", plan.count * 4},
                                      {"calls_per_block", plan.calls},
                                      {"type", "fp32"},
                                      {"backend", group.backend()},
                                      {"device", device.is_cuda() ? "cuda" : "cpu"}}
                           .dump();
  const double ranks = group.size();
  const auto bytes = static_cast<double>(plan.count * 4);
  const double seconds = *std::ranges::min_element(report.blocks);
  // The bus bandwidth of nccl-tests (doc/PERFORMANCE.md), of the best block.
  report.more_json =
      nlohmann::json{{"busbw_gb_per_s", 2e-9 * bytes * (ranks - 1) / ranks / seconds}}.dump();
  print_bench(invocation, report);
  return 0;
}

}  // namespace lockstep::apps
