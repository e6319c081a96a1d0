#include "session.h"

#include "memory_budget.h"
#include "rehearsal.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/log.h>
#include <lockstep/models/classification.h>
#include <lockstep/optim/patterns.h>
#include <lockstep/parallel/digest.h>
#include <lockstep/parallel/shard.h>
#include <lockstep/train/autocast.h>
#include <lockstep/weights/module_tensors.h>

#include <ATen/Context.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <bit>
#include <cstdlib>

namespace lockstep::train {
namespace {

// The data set must be what the model takes: each difference is named with the setting to change.
// Images of another size are no difference: they are cropped and resized.
void check_fits(const data::DatasetInfo& info, const models::Options& model) {
  const auto refuse =
      [&info](std::string_view key, std::int64_t value, std::string_view what, std::int64_t found) {
        throw config_error(format("model.{} = {} but {} has {} {}: set model.{} = {}",
                                  key,
                                  value,
                                  info.path.string(),
                                  what,
                                  found,
                                  key,
                                  found));
      };
  if (info.task != "classification") {
    throw config_error(format("{} is a {} data set; model.name = vit needs classification",
                              info.path.string(),
                              info.task));
  }
  if (info.channels != model.in_channels) {
    refuse("in_channels", model.in_channels, "image channels:", info.channels);
  }
  const auto num_classes = static_cast<std::int64_t>(info.classes.size());
  if (num_classes != model.num_classes) {
    refuse("num_classes", model.num_classes, "classes:", num_classes);
  }
}

// Half precision that the device only emulates would be slower than fp32.
void check_precision(const Job& job) {
  if (!job.device.is_cuda() || job.settings.precision.compute != "bf16") return;
  const gpu::DeviceInfo info = job.device.backend->info(job.device.index);
  if (info.has_bf16) return;
  throw config_error(
      format("precision.compute = bf16, but {} (compute capability {}.{}) has no bf16 "
             "arithmetic: set precision.compute = fp16 or fp32",
             info.name,
             info.capability_major,
             info.capability_minor));
}

// What changes the size of micro-batches by what memory or the clock say.
void check_memory(const Job& job) {
  const MemoryOptions& memory = job.settings.memory;
  if (memory.on_oom == "shrink" && job.device.is_cuda()) {
    throw config_error(
        "memory.on_oom = shrink is for run.device = cpu in this version: write stop");
  }
  if (job.settings.run.determinism != "world") return;
  if (memory.recompute == kBudget || memory.on_oom == "shrink") {
    throw config_error(
        format("run.determinism = world fixes the micro-batches, memory.{} may cut them: write {}",
               memory.recompute == kBudget ? "recompute = budget" : "on_oom = shrink",
               memory.recompute == kBudget ? "another memory.recompute" : "memory.on_oom = stop"));
  }
}

// Above, messages between ranks leave the order of sums to MPI.
constexpr std::uint64_t kMostRanksOfATree = 16;

// What the fixed tree over blocks and ranks needs.
void check_determinism(const Job& job) {
  const Settings& settings = job.settings;
  const bool measured = !settings.comm.bucket_mib && job.mesh.data().size() > 1;
  if (settings.run.determinism != "off" && measured) {
    throw config_error(
        format("run.determinism = {} needs the same buckets in every run, and comm.bucket_mib = "
               "auto measures: write a number",
               settings.run.determinism));
  }
  if (settings.run.determinism != "world") return;
  const auto ranks = static_cast<std::uint64_t>(job.mesh.data().size());
  if (!std::has_single_bit(ranks) ||
      !std::has_single_bit(static_cast<std::uint64_t>(settings.train.accumulate))) {
    throw config_error(
        format("run.determinism = world sums blocks in a binary tree: {} ranks and "
               "train.accumulate = {} must both be powers of two",
               ranks,
               settings.train.accumulate));
  }
  if (job.world.rank() % job.world.local_size() != job.world.local_rank()) {
    throw config_error(format(
        "run.determinism = world sums the ranks of a host first: rank {} is number {} of its "
        "host; start with the ranks of a host side by side (mpirun --map-by core)",
        job.world.rank(),
        job.world.local_rank()));
  }
  if (ranks > kMostRanksOfATree) {
    throw config_error(
        format("run.determinism = world has one order of sums up to {} ranks, not {}",
               kMostRanksOfATree,
               ranks));
  }
  if (settings.parallel.zero != 0) {
    throw config_error(
        "run.determinism = world takes the norm of whole buckets, parallel.zero = 1 that of each "
        "rank's slices: set parallel.zero = 0");
  }
  if (settings.comm.wire != "fp32") {
    throw config_error(
        format("run.determinism = world needs exact sums: comm.wire = {} rounds "
               "them by rank; set comm.wire = fp32",
               settings.comm.wire));
  }
  if (job.mesh.data().backend() == "nccl" && ranks > 2) {
    throw config_error(
        "run.determinism = world needs a summation order that NCCL does not have above two ranks: "
        "set comm.backend = mpi");
  }
}

// Before the first operation of cuBLAS, which reads its workspace setting once.
void ask_for_determinism(const Job& job) {
  if (job.settings.run.determinism == "off" || !job.device.is_cuda()) return;
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(true, false);
  context.setDeterministicFillUninitializedMemory(false);
  context.setBenchmarkCuDNN(false);
  context.setDeterministicCuDNN(true);
}

void open_data(const Job& job, Session& session) {
  const Settings& settings = job.settings;
  if (!session.train_data) {
    session.train_data = data::open_dataset(settings.data.train, settings.data);
  }
  check_fits(session.train_data->info(), settings.model);
  if (settings.data.val.empty()) return;
  session.val_data = data::open_dataset(settings.data.val, settings.data);
  check_fits(session.val_data->info(), settings.model);
}

// Settings and programs were compared when the command began.
std::vector<comm::Fact> facts_of(const Session& session) {
  std::vector<comm::Fact> facts;
  const auto add = [&facts](const char* key, const data::Dataset* dataset) {
    if (dataset == nullptr) return;
    const data::DatasetInfo& info = dataset->info();
    facts.push_back({format("the number of samples of {}", key), format("{}", info.num_samples)});
    facts.push_back({format("the content digest of {}", key), info.content_digest});
  };
  add("data.train", session.train_data.get());
  add("data.val", session.val_data.get());
  return facts;
}

// What is trained is sent to all; what is frozen must be there alike.
comm::Fact fact_of_frozen(const torch::nn::Module& model) {
  std::vector<at::Tensor> frozen;
  for (const at::Tensor& tensor : model.parameters()) {
    if (!tensor.requires_grad()) frozen.push_back(tensor.detach().contiguous());
  }
  return {"the frozen parameters", format("{:016x}", parallel::digest_of(frozen))};
}

std::vector<comm::Fact> facts_of(const std::vector<optim::NamedParameter>& parameters,
                                 const parallel::BucketPlan& plan) {
  std::vector<comm::Fact> facts;
  for (const optim::NamedParameter& parameter : parameters) {
    facts.push_back({format("the shape of parameter {}", parameter.name),
                     format("{} {}",
                            c10::str(parameter.tensor.sizes()),
                            c10::toString(parameter.tensor.scalar_type()))});
  }
  std::string buckets;
  for (const parallel::Bucket& bucket : plan.buckets) buckets += format("{} ", bucket.end);
  facts.push_back({"the bucket plan", buckets});
  return facts;
}

// Frozen parameters want no gradient: parameters_of leaves them out.
void freeze_parameters(torch::nn::Module& model, const std::string& globs) {
  const auto parameters = model.named_parameters();
  for (const std::string& pattern : optim::parse_patterns("optim.freeze", globs)) {
    optim::require_match("optim.freeze", pattern, parameters.keys());
    for (const auto& item : parameters) {
      if (optim::matches(pattern, item.key())) item.value().requires_grad_(false);
    }
  }
  if (parallel::parameters_of(model).empty()) {
    throw config_error(format("optim.freeze = {} leaves no parameter to train", globs));
  }
}

void build_model(const Job& job, Session& session) {
  const Settings& settings = job.settings;
  session.model =
      std::make_shared<models::Vit>(settings.model, static_cast<std::uint64_t>(settings.run.seed));
  if (!settings.weights.init.empty()) {
    weights::load_module(
        *session.model,
        settings.weights.init,
        settings.weights,
        [](const std::string&, const at::Tensor& stored, const at::Tensor& wanted) {
          return models::resize_positions_like(stored, wanted);
        });
  }
  freeze_parameters(*session.model, settings.optim.freeze);
  keep_in_fp32(*session.model, settings.precision.fp32_modules);
  session.model->to(torch_device(job.device));
  if (settings.memory.recompute != kBudget) {
    session.set_recompute(models::parse_recompute(settings.memory.recompute));
  }
}

parallel::BucketPlan plan_gradients(Job& job,
                                    Session& session,
                                    const std::vector<optim::NamedParameter>& parameters) {
  const comm::Options& settings = job.settings.comm;
  std::vector<std::int64_t> counts;
  for (const optim::NamedParameter& parameter : parameters) {
    counts.push_back(parameter.tensor.numel());
  }
  parallel::PlanOptions plan;
  plan.first_bucket_bytes = bucket_bytes(settings.first_bucket_mib);
  plan.bucket_bytes = plan.first_bucket_bytes;  // auto: the finest cut, for rehearse_buckets()
  if (settings.bucket_mib) plan.bucket_bytes = bucket_bytes(*settings.bucket_mib);
  const bool alone = job.mesh.data().size() == 1;
  if (!settings.bucket_mib && alone) plan.bucket_bytes = bucket_bytes(comm::kDefaultBucketMib);
  // The norm is summed bucket by bucket: the same buckets for any number of ranks.
  plan.group_size = job.settings.run.determinism == "world" ? 1 : job.mesh.data().size();
  return parallel::plan_buckets(counts, rehearse_order(job, session, parameters), plan);
}

// One rank has nobody to send to.
comm::DType wire_type(const Job& job) {
  const comm::Options& options = job.settings.comm;
  if (job.mesh.data().size() == 1) return comm::DType::kF32;
  if (options.wire == "bf16") return comm::DType::kBF16;
  return options.wire == "fp16" ? comm::DType::kF16 : comm::DType::kF32;
}

void follow_update(Session& session) {
  for (const optim::NamedParameter& entry : session.optimizer->state()) {
    if (entry.name != "optim/steps") continue;
    session.reducer->follow_update(entry.tensor, session.optimizer->loss_scale());
  }
}

// Equal seeds drew equal weights; a file that differs between hosts would not. Collective.
void send_parameters(const Job& job, optim::Arena& arena) {
  const gpu::StreamHandle stream = job.device.backend->compute_stream();
  job.mesh.data()
      .broadcast_async(arena.parameters().data_ptr(),
                       static_cast<std::size_t>(arena.parameters().numel()),
                       comm::DType::kF32,
                       0,
                       stream)
      ->wait(stream);
}

// Arena, reducer and optimizer. Collective.
void build_update(Job& job, Session& session) {
  const auto parameters = parallel::parameters_of(*session.model);
  session.buckets = plan_gradients(job, session, parameters);
  std::vector<comm::Fact> facts = facts_of(parameters, session.buckets);
  facts.push_back(fact_of_frozen(*session.model));
  comm::agree_on(job.world, facts);
  // Memory that ranks share is allocated by all together: outside of phases that a rank may leave.
  session.arena = std::make_unique<optim::Arena>(
      job.world, parameters, session.buckets.layout, torch_device(job.device));
  send_parameters(job, *session.arena);
  const bool sharded = job.settings.parallel.zero > 0;
  session.reducer = std::make_unique<parallel::Reducer>(
      job.world, job.mesh.data(), *session.arena, session.buckets, wire_type(job), sharded);
  rehearse_buckets(job, session);
  optim::Shard shard;
  if (sharded) {
    shard = parallel::make_shard(job.world, job.mesh.data(), *session.arena, session.buckets);
  }
  comm::agree(job.world, [&] {
    session.optimizer = optim::make_optimizer(
        *session.arena, job.settings.optim, job.settings.precision, kBadFlag, shard);
  });
  follow_update(session);
  session.reducer->on_bucket_reduced([&session](std::int64_t begin, std::int64_t end) {
    session.optimizer->add_norm(begin, end);
  });
}

void build_feeder(Job& job, Session& session, const data::SamplerOptions& sampler) {
  const Settings& settings = job.settings;
  augment::FeederOptions feeding;
  feeding.mean = session.train_data->info().image_mean;
  feeding.std = session.train_data->info().image_std;
  feeding.augment = settings.augment;
  feeding.seed = sampler.seed;
  const auto side = static_cast<std::int32_t>(settings.model.image_size);
  feeding.size = {side, side};
  session.feeder = augment::make_feeder(*job.device.backend, torch_device(job.device), feeding);
}

data::LoaderOptions loader_options(const Job& job,
                                   const Session& session,
                                   const data::SamplerOptions& sampler) {
  const Settings& settings = job.settings;
  data::LoaderOptions loading;
  loading.sampler = sampler;
  loading.rank = job.mesh.data().rank();
  loading.reader = settings.data.reader;
  loading.threads = settings.data.threads;
  loading.prefetch = settings.data.prefetch;
  loading.verify = settings.data.verify;
  loading.num_epochs = session.plan.num_epochs;
  loading.target = {static_cast<std::int32_t>(settings.model.image_size),
                    static_cast<std::int32_t>(settings.model.image_size)};
  loading.augment = settings.augment;
  loading.training = true;
  loading.on_broken = settings.data.on_broken;
  session.shared_input.lend_to(loading);
  return loading;
}

}  // namespace

at::Device torch_device(const comm::Device& device) {
  return device.is_cuda() ? at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device.index))
                          : at::Device(at::kCPU);
}

data::SamplerOptions plan_sampler(const Settings& settings,
                                  std::int64_t num_samples,
                                  std::int64_t num_ranks) {
  data::SamplerOptions sampler;
  sampler.num_samples = num_samples;
  sampler.batch_per_rank = resolve_batch_per_rank(settings.train, num_ranks);
  sampler.num_ranks = num_ranks;
  sampler.accumulate = settings.train.accumulate;
  sampler.seed = static_cast<std::uint64_t>(settings.run.seed);
  sampler.shuffle = settings.data.order != "sequential";
  sampler.drop_last = settings.data.last_batch == "drop";
  sampler.neighbouring_blocks = settings.run.determinism == "world";
  return sampler;
}

StepPlan plan_steps(const Settings& settings, const data::Sampler& sampler) {
  StepPlan plan;
  plan.batch_per_rank = sampler.options().batch_per_rank;
  plan.samples_per_step = sampler.samples_per_step();
  plan.steps_per_epoch = sampler.steps_per_epoch();
  plan.total_steps = plan.steps_per_epoch * settings.run.epochs;
  if (settings.run.max_steps > 0) {
    plan.total_steps = std::min(plan.total_steps, settings.run.max_steps);
  }
  plan.num_epochs = (plan.total_steps + plan.steps_per_epoch - 1) / plan.steps_per_epoch;
  plan.peak_lr = optim::peak_lr(settings.optim, plan.samples_per_step);
  optim::check_fits_run(settings.schedule, plan.peak_lr, plan.total_steps);
  return plan;
}

void swap_average(Session& session) {
  session.optimizer->swap_average();
  session.reducer->gather_parameters(nullptr);
}

void Session::set_recompute(const models::RecomputePlan& wanted) {
  model->set_recompute(wanted);
  recompute = wanted;
}

void restart_loader(Job& job, Session& session, std::int64_t step) {
  comm::agree(job.world, [&] {
    data::LoaderOptions loading = loader_options(job, session, session.loader->sampler().options());
    loading.first_epoch = (step - 1) / session.plan.steps_per_epoch;
    loading.first_step_in_epoch = (step - 1) % session.plan.steps_per_epoch;
    loading.num_epochs -= loading.first_epoch;
    session.loader.reset();
    session.loader = data::make_loader(*session.train_data, *job.device.backend, loading);
  });
}

std::unique_ptr<Session> open_session(Job& job, std::unique_ptr<data::Dataset> train_data) {
  auto session = std::make_unique<Session>();
  session->train_data = std::move(train_data);
  data::SamplerOptions sampler;
  comm::agree(job.world, [&] {
    check_precision(job);
    check_determinism(job);
    check_memory(job);
    ask_for_determinism(job);
    open_data(job, *session);
    sampler =
        plan_sampler(job.settings, session->train_data->info().num_samples, job.mesh.data().size());
    data::choose_order(job.settings.data, session->train_data->samples_per_chunk(), sampler);
    session->plan = plan_steps(job.settings, data::Sampler(sampler));
  });
  comm::agree_on(job.world, facts_of(*session));
  comm::agree(job.world, [&] { build_model(job, *session); });
  build_update(job, *session);
  choose_within_budget(job, *session);
  session->shared_input = share_input(
      job.world, *session->train_data, job.settings.data, loader_options(job, *session, sampler));
  comm::agree(job.world, [&] {
    build_feeder(job, *session, sampler);
    session->loader = data::make_loader(
        *session->train_data, *job.device.backend, loader_options(job, *session, sampler));
  });
  return session;
}

}  // namespace lockstep::train
