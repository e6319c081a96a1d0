// lockstep eval: the figures of saved weights over a data set, alone or under mpirun.
#include "trainer_commands.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/hash.h>
#include <lockstep/data/dataset.h>
#include <lockstep/eval/evaluator.h>
#include <lockstep/models/vit.h>
#include <lockstep/train/torch_error.h>
#include <lockstep/weights/module_tensors.h>
#include <lockstep/weights/safetensors.h>

#include <ATen/ops/cat.h>
#include <nlohmann/json.hpp>

#include <cstdio>

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
  std::vector<std::string> classes;
  std::vector<double> mean;
  std::vector<double> std;
  std::string compute = "fp32";
};

// Settings in the file win over configuration: they are what the tensors were made for. A file from
// elsewhere has none, and the configuration's [model] and the data set's normalisation are taken.
Weights describe(const std::string& file,
                 const config::Settings& settings,
                 const data::DatasetInfo& info) {
  Weights weights;
  weights.model = settings.model;
  weights.mean = info.image_mean;
  weights.std = info.image_std;
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
  models::validate(weights.model);
  return weights;
}

void check_fits(const std::string& file, const Weights& weights, const data::DatasetInfo& info) {
  const models::Options& model = weights.model;
  const auto refuse = [&](std::string_view what, std::int64_t wanted, std::int64_t found) {
    throw data_error(
        format("{} takes {} {}, but {} has {}", file, wanted, what, info.path.string(), found));
  };
  if (info.height != model.image_size) refuse("pixels of height", model.image_size, info.height);
  if (info.width != model.image_size) refuse("pixels of width", model.image_size, info.width);
  if (info.channels != model.in_channels) refuse("channels", model.in_channels, info.channels);
  const auto num_classes = static_cast<std::int64_t>(info.classes.size());
  if (num_classes > model.num_classes) refuse("classes", model.num_classes, num_classes);
}

// Collects logits of this rank; the ranks' parts are gathered on rank 0 at the end.
class Predictions {
 public:
  void add(const at::Tensor& ids, const at::Tensor& logits) {
    ids_.push_back(ids);
    logits_.push_back(logits.clone());
  }
  // Collective.
  void write(comm::World& world, const std::string& path, std::int64_t num_classes) {
    const at::Tensor ids = ids_.empty() ? at::Tensor() : at::cat(ids_);
    const at::Tensor logits = logits_.empty() ? at::Tensor() : at::cat(logits_);
    const auto all_ids = comm::all_gather_text(world.control(), text_of(ids));
    const auto all_logits = comm::all_gather_text(world.control(), text_of(logits));
    comm::agree(world, [&] {
      if (world.rank() != 0) return;
      std::string id_bytes;
      std::string logit_bytes;
      for (const std::string& part : all_ids) id_bytes += part;
      for (const std::string& part : all_logits) logit_bytes += part;
      const auto count = static_cast<std::int64_t>(id_bytes.size() / sizeof(std::int64_t));
      weights::write_safetensors(
          path,
          {{"logits", {weights::DType::kF32, {count, num_classes}, bytes_of(logit_bytes)}},
           {"sample_id", {weights::DType::kI64, {count}, bytes_of(id_bytes)}}},
          {});
    });
  }

 private:
  static std::string text_of(const at::Tensor& tensor) {
    if (!tensor.defined()) return {};
    const at::Tensor plain = tensor.contiguous();
    return {static_cast<const char*>(plain.const_data_ptr()), plain.nbytes()};
  }

  std::vector<at::Tensor> ids_;
  std::vector<at::Tensor> logits_;
};

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
  std::string file;
  std::unique_ptr<data::Dataset> dataset;
  Weights described;
  std::shared_ptr<models::Vit> model;
  invocation.position.phase = "device";
  const comm::Device device = comm::choose_device(world, run.device, run.allow_gpu_sharing);
  comm::Mesh mesh = world.open_mesh(line.settings.comm, device, run.allow_gpu_sharing);
  invocation.position.phase = "setup";
  train::agree(world, [&] {
    if (!line.has("weights")) throw usage_error("eval needs --weights FILE.safetensors");
    if (line.settings.data.val.empty()) throw usage_error("eval needs --data.val DATA.h5");
    file = line.flags.at("weights");
    dataset = data::open_dataset(line.settings.data.val, line.settings.data);
    described = describe(file, line.settings, dataset->info());
    check_fits(file, described, dataset->info());
    model = std::make_shared<models::Vit>(described.model, 0);
    weights::load_module(
        *model,
        file,
        line.settings.weights,
        [](const std::string&, const at::Tensor& stored, const at::Tensor& wanted) {
          return models::resize_positions_like(stored, wanted);
        });
    model->to(train::torch_device(device));
    model->eval();
  });
  invocation.position.phase = "eval";
  Predictions predictions;
  eval::EvaluatorOptions options;
  options.batch = line.settings.eval.batch > 0 ? line.settings.eval.batch : 64;
  options.threads = line.settings.data.threads;
  options.verify = line.settings.data.verify;
  options.mean = described.mean;
  options.std = described.std;
  options.progress = true;
  if (line.has("predictions")) {
    options.on_logits = [&](const at::Tensor& ids, const at::Tensor& logits) {
      predictions.add(ids, logits);
    };
  }
  const eval::ClassificationResult result = eval::evaluate_classification(
      world,
      mesh.data(),
      device,
      *dataset,
      [&](const at::Tensor& images) {
        return train::with_torch_errors([&] { return model->forward(images, {}); });
      },
      options);
  if (line.has("predictions")) {
    predictions.write(world, line.flags.at("predictions"), described.model.num_classes);
  }
  if (world.rank() == 0) print(result, file, line.has("json"));
  return 0;
}

}  // namespace lockstep::apps
