// A user's own module trained by lockstep's parts: loader, feeder, flat arena, overlapped reducer
// and optimizer. The same program runs alone and under mpirun.
#include <lockstep/augment/feeder.h>
#include <lockstep/comm/world.h>
#include <lockstep/data/loader.h>
#include <lockstep/data/probe.h>
#include <lockstep/optim/optimizer.h>
#include <lockstep/parallel/reducer.h>

#include <ATen/Context.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>
#include <torch/nn/module.h>

#include <cstdio>

using namespace lockstep;

// (B, 1, 16, 16) -> (B, 4)
struct Mlp : torch::nn::Module {
  at::Tensor w1 = register_parameter("w1", at::zeros({64, 256}).uniform_(-0.06, 0.06));
  at::Tensor b1 = register_parameter("b1", at::zeros({64}));
  at::Tensor w2 = register_parameter("w2", at::zeros({4, 64}).uniform_(-0.12, 0.12));
  at::Tensor loss(const augment::DeviceBatch& batch, double normaliser) {
    const at::Tensor hidden = at::relu(at::linear(batch.images.flatten(1), w1, b1));
    const at::Tensor each = at::cross_entropy_loss(at::linear(hidden, w2), batch.labels, {}, 0);
    return (each * batch.weights).sum() / normaliser;
  }
};

// consumer DATA.h5 LOCKSTEP
int main(int, char** argv) {
  data::probe_file(argv[2], argv[1], data::Options{});
  const auto world = comm::open_world();
  const comm::Device device = comm::choose_device(*world, "cpu", false);
  comm::Mesh mesh = world->open_mesh(comm::Options{}, device, false);
  const auto dataset = data::open_dataset(argv[1], data::Options{});
  data::LoaderOptions loading;
  loading.sampler.num_samples = dataset->info().num_samples;
  loading.sampler.batch_per_rank = 32 / mesh.data().size();
  loading.sampler.num_ranks = mesh.data().size();
  loading.rank = mesh.data().rank();
  const auto loader = data::make_loader(*dataset, *device.backend, loading);
  const augment::FeederOptions feeding{
      dataset->info().image_mean, dataset->info().image_std, {}, 0};
  const auto feeder = augment::make_feeder(*device.backend, at::kCPU, feeding);

  at::manual_seed(7);
  Mlp model;
  const auto parameters = parallel::parameters_of(model);
  const augment::DeviceBatch blank{
      at::zeros({1, 1, 16, 16}), at::zeros({1}, at::kLong), at::zeros({1}), {}};
  const auto order =
      parallel::probe_backward_order(*world, parameters, [&] { return model.loss(blank, 1); });
  const auto plan =
      parallel::plan_buckets({64 * 256, 64, 4 * 64}, order, {4096, 1024, mesh.data().size()});
  optim::Arena arena(*world, parameters, plan.layout, at::kCPU);
  parallel::Reducer reducer(*world, mesh.data(), arena, plan);
  const auto optimizer = optim::make_optimizer(arena, {}, {}, 1);

  double last = 0;
  for (std::int64_t step = 1; step <= 60; ++step) {
    const data::Batch* batch = loader->next();
    const at::Tensor loss =
        model.loss(feeder->feed(*batch), static_cast<double>(batch->num_real_global));
    arena.stats().select(0, 0).add_(loss.detach());
    loader->release(batch, nullptr);
    reducer.begin_micro(true);
    loss.backward();
    reducer.finalize(nullptr);
    last = arena.stats()[0].item<double>();  // the mean over all ranks
    optimizer->update({step, 3e-3});
  }
  if (world->rank() == 0) std::printf("%.6f\n", last);
  return 0;
}
