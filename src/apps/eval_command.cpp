// lockstep eval: the figures of saved weights over a data set, alone or under mpirun.
#include "trainer_commands.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/hash.h>
#include <lockstep/base/log.h>
#include <lockstep/data/dataset.h>
#include <lockstep/eval/evaluator.h>
#include <lockstep/models/vit.h>
#include <lockstep/train/autocast.h>
#include <lockstep/weights/module_tensors.h>
#include <lockstep/weights/safetensors.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace lockstep::apps {
namespace {

const config::Command& eval_command() {
  static const config::Command command{
      "eval",
      "eval --weights FILE.safetensors --data.val DATA.h5 [--config X.ini] [--json]",
      "Evaluate saved weights over a data set.",
      {{"weights",
        "FILE",
        "The weights (model.safetensors of a snapshot); the model's settings are read from it."},
       {"json", "", "Print one JSON object."},
       {"predictions", "FILE", "Write sample_id and logits of every sample as safetensors."}},
      0,
      false};
  return command;
}

// What the weights say about themselves.
struct Weights {
  models::Options model;
  std::vector<std::string> classes;  // empty: not said
  std::vector<double> mean;
  std::vector<double> std;
  std::string compute;
  std::string fp32_modules;
};

bool was_given(const config::CommandLine& line, std::string_view setting) {
  return std::ranges::any_of(line.origins, [setting](const config::Origin& origin) {
    return origin.name == setting && origin.source != config::Source::kDefault;
  });
}

// Settings in the file win over configuration: they are what the tensors were made for. A file from
// elsewhere has none, and the configuration's [model] and the data set's normalisation are taken.
// Only the precision may be asked for; otherwise it is the one of training.
Weights describe(const std::string& file,
                 const config::CommandLine& line,
                 const data::DatasetInfo& info) {
  Weights weights;
  weights.model = line.settings.model;
  weights.mean = info.image_mean;
  weights.std = info.image_std;
  weights.compute = line.settings.precision.compute;
  weights.fp32_modules = line.settings.precision.fp32_modules;
  const auto metadata = weights::SafetensorsFile(file).metadata();
  OptionTable table;
  models::bind_options(table, weights.model);
  for (const Option& option : table.options()) {
    const auto found = metadata.find(option.name());
    if (found != metadata.end()) option.set(found->second);
  }
  const auto list = [&metadata, &file](const char* key, auto& field) {
    const auto found = metadata.find(key);
    if (found == metadata.end()) return;
    try {
      field = nlohmann::json::parse(found->second).get<std::remove_reference_t<decltype(field)>>();
    } catch (const nlohmann::json::exception&) {
      throw data_error(format("{}: metadata \"{}\" is malformed", file, key));
    }
  };
  list("classes", weights.classes);
  list("image_mean", weights.mean);
  list("image_std", weights.std);
  const auto as_in_training = [&metadata, &line](const char* key, std::string& field) {
    const auto found = metadata.find(key);
    if (found != metadata.end() && !was_given(line, key)) field = found->second;
  };
  as_in_training("precision.compute", weights.compute);
  as_in_training("precision.fp32_modules", weights.fp32_modules);
  models::validate(weights.model);
  return weights;
}

void check_fits(const std::string& file, const Weights& weights, const data::DatasetInfo& info) {
  const models::Options& model = weights.model;
  const auto refuse = [&](std::string_view what, std::int64_t wanted, std::int64_t found) {
    throw data_error(
        format("{} takes {} {}, but {} has {}", file, wanted, what, info.path.string(), found));
  };
  if (info.channels != model.in_channels) refuse("channels", model.in_channels, info.channels);
  const auto num_classes = static_cast<std::int64_t>(info.classes.size());
  if (num_classes > model.num_classes) refuse("classes", model.num_classes, num_classes);
  if (std::ssize(weights.mean) != info.channels || std::ssize(weights.std) != info.channels) {
    throw data_error(
        format("{}: image_mean and image_std are not of {} channels", file, info.channels));
  }
}

// The same label would mean different things: the figures then say nothing.
void warn_of_other_classes(const std::string& file,
                           const Weights& weights,
                           const data::DatasetInfo& info) {
  if (weights.classes.empty() || !info.native || weights.classes == info.classes) return;
  log::warning("the classes of {} are named otherwise than those of {}: are they the same?",
               file,
               info.path.string());
}

// Collects what this rank's batches gave; the ranks' parts are joined on rank 0 at the end.
class Predictions {
 public:
  // ids (B) i64, logits (B, K) f32, contiguous on the CPU.
  void add(const at::Tensor& ids, const at::Tensor& logits) {
    append(ids, ids_);
    append(logits, logits_);
    sizes_.push_back(ids.size(0));
  }

  // Writes sample_id (N) and logits (N, K) in the order of the data set. Collective.
  void write(comm::World& world, const std::string& path, std::int64_t num_classes) const {
    const std::string sizes(reinterpret_cast<const char*>(sizes_.data()),
                            sizes_.size() * sizeof(std::int64_t));
    const auto all_sizes = comm::all_gather_text(world.control(), sizes);
    const auto all_ids = comm::all_gather_text(world.control(), ids_);
    const auto all_logits = comm::all_gather_text(world.control(), logits_);
    comm::agree(world, [&] {
      if (world.rank() != 0) return;
      const std::string ids = interleave(all_ids, all_sizes, sizeof(std::int64_t));
      const std::size_t row_bytes = static_cast<std::size_t>(num_classes) * sizeof(float);
      const std::string logits = interleave(all_logits, all_sizes, row_bytes);
      const auto count = static_cast<std::int64_t>(ids.size() / sizeof(std::int64_t));
      weights::write_safetensors(
          path,
          {{"logits", {weights::DType::kF32, {count, num_classes}, bytes_of(logits)}},
           {"sample_id", {weights::DType::kI64, {count}, bytes_of(ids)}}},
          {});
    });
  }

 private:
  static void append(const at::Tensor& tensor, std::string& bytes) {
    bytes.append(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
  }

  // The ranks take batches of a data set in turn: first batches of all ranks, then second ones.
  static std::string interleave(const std::vector<std::string>& parts,
                                const std::vector<std::string>& sizes,
                                std::size_t row_bytes) {
    std::string joined;
    std::vector<std::size_t> done(parts.size());
    for (std::size_t batch = 0; (batch + 1) * sizeof(std::int64_t) <= sizes[0].size(); ++batch) {
      for (std::size_t rank = 0; rank < parts.size(); ++rank) {
        if ((batch + 1) * sizeof(std::int64_t) > sizes[rank].size()) continue;
        std::int64_t rows = 0;
        std::memcpy(&rows, sizes[rank].data() + batch * sizeof(rows), sizeof(rows));
        const std::size_t size = static_cast<std::size_t>(rows) * row_bytes;
        joined.append(parts[rank], done[rank], size);
        done[rank] += size;
      }
    }
    return joined;
  }

  std::string ids_;
  std::string logits_;
  std::vector<std::int64_t> sizes_;  // rows by batch
};

// Everything that an evaluation needs, opened by each rank.
struct Evaluation {
  std::string file;
  std::unique_ptr<data::Dataset> dataset;
  Weights weights;
  std::shared_ptr<models::Vit> model;
};

Evaluation open_evaluation(const config::CommandLine& line, const at::Device& device) {
  if (!line.has("weights")) throw usage_error("eval needs --weights FILE.safetensors");
  if (line.settings.data.val.empty()) throw usage_error("eval needs --data.val DATA.h5");
  Evaluation evaluation;
  evaluation.file = line.flags.at("weights");
  evaluation.dataset = data::open_dataset(line.settings.data.val, line.settings.data);
  evaluation.weights = describe(evaluation.file, line, evaluation.dataset->info());
  check_fits(evaluation.file, evaluation.weights, evaluation.dataset->info());
  evaluation.model = std::make_shared<models::Vit>(evaluation.weights.model, 0);
  weights::load_module(*evaluation.model,
                       evaluation.file,
                       line.settings.weights,
                       [](const std::string&, const at::Tensor& stored, const at::Tensor& wanted) {
                         return models::resize_positions_like(stored, wanted);
                       });
  train::keep_in_fp32(*evaluation.model, evaluation.weights.fp32_modules);
  evaluation.model->to(device);
  evaluation.model->eval();
  return evaluation;
}

eval::EvaluatorOptions options_of(const config::Settings& settings, const Weights& weights) {
  eval::EvaluatorOptions options;
  options.batch = settings.eval.batch > 0 ? settings.eval.batch : options.batch;
  options.threads = settings.data.threads;
  options.prefetch = settings.data.prefetch;
  options.verify = settings.data.verify;
  options.mean = weights.mean;
  options.std = weights.std;
  options.image_size = weights.model.image_size;
  options.progress = true;
  return options;
}

void print(const eval::ClassificationResult& result, const std::string& file, bool json) {
  if (json) {
    const nlohmann::json object{
        {"weights", file},
        {"num_samples", result.num_samples},
        {"eval", {{"top1", result.top1}, {"top5", result.top5}, {"loss", result.loss}}}};
    std::puts(object.dump().c_str());
    return;
  }
  std::puts(format("top-1 {:.2f} %, top-5 {:.2f} %, loss {:.4f} on {} images",
                   result.top1 * 100,
                   result.top5 * 100,
                   result.loss,
                   result.num_samples)
                .c_str());
}

}  // namespace

int run_eval(Invocation& invocation) {
  const config::CommandLine line = parse_agreed(invocation, eval_command());
  if (line.help) return 0;
  comm::World& world = invocation.world;
  const train::RunOptions& run = line.settings.run;
  invocation.position.phase = "device";
  const comm::Device device = comm::choose_device(world, run.device, run.allow_gpu_sharing);
  comm::Mesh mesh = world.open_mesh(line.settings.comm, device, run.allow_gpu_sharing);
  invocation.position.phase = "setup";
  Evaluation opened;
  comm::agree(world, [&] { opened = open_evaluation(line, train::torch_device(device)); });
  const data::DatasetInfo& info = opened.dataset->info();
  if (world.rank() == 0) warn_of_other_classes(opened.file, opened.weights, info);
  invocation.position.phase = "eval";
  Predictions predictions;
  eval::EvaluatorOptions options = options_of(line.settings, opened.weights);
  if (line.has("predictions")) {
    options.on_logits = [&](const at::Tensor& ids, const at::Tensor& logits) {
      predictions.add(ids, logits);
    };
  }
  const auto forward = [&](const at::Tensor& images) {
    const train::AutocastScope autocast(opened.weights.compute, images.device().type());
    return opened.model->forward(images, {});
  };
  const eval::ClassificationResult result =
      eval::evaluate_classification(world, mesh.data(), device, *opened.dataset, forward, options);
  if (line.has("predictions")) {
    predictions.write(world, line.flags.at("predictions"), opened.weights.model.num_classes);
  }
  if (world.rank() == 0) print(result, opened.file, line.has("json"));
  return 0;
}

}  // namespace lockstep::apps
