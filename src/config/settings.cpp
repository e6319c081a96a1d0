#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/config/settings.h>

namespace lockstep::config {
namespace {

void check_across(const Settings& settings) {
  parallel::check_zero(settings.parallel, optim::need_of(settings.optim));
  if (settings.comm.backend == "nccl" && settings.run.device == "cpu") {
    throw config_error(
        "comm.backend = nccl moves gradients between GPUs but run.device = cpu: set comm.backend = "
        "mpi or auto");
  }
  if (settings.augment.shift_pixels >= settings.model.image_size) {
    throw config_error(
        format("augment.shift_pixels = {} moves images of model.image_size = {} out of sight: "
               "choose fewer",
               settings.augment.shift_pixels,
               settings.model.image_size));
  }
}

}  // namespace

OptionTable make_table(Settings& settings) {
  OptionTable table;
  train::bind_options(table, settings.run);
  data::bind_options(table, settings.data);
  augment::bind_options(table, settings.augment);
  augment::bind_options(table, settings.detection);
  models::bind_options(table, settings.model);
  train::bind_options(table, settings.train);
  train::bind_options(table, settings.memory);
  optim::bind_options(table, settings.optim);
  optim::bind_options(table, settings.schedule);
  optim::bind_options(table, settings.precision);
  comm::bind_options(table, settings.comm);
  parallel::bind_options(table, settings.parallel);
  telemetry::bind_options(table, settings.telemetry);
  eval::bind_options(table, settings.eval);
  weights::bind_options(table, settings.weights);
  return table;
}

void validate(const Settings& settings) {
  train::validate(settings.run);
  data::validate(settings.data);
  augment::validate(settings.augment);
  augment::validate(settings.detection);
  models::validate(settings.model);
  train::validate(settings.train);
  train::validate(settings.memory, settings.model.depth);
  optim::validate(settings.optim);
  optim::validate(settings.schedule);
  optim::validate(settings.precision);
  comm::validate(settings.comm);
  parallel::validate(settings.parallel);
  telemetry::validate(settings.telemetry);
  eval::validate(settings.eval);
  weights::validate(settings.weights);
  check_across(settings);
}

}  // namespace lockstep::config
