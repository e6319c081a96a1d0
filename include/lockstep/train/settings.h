// All settings of a run, one struct a module; config binds them to names.
#pragma once

#include <lockstep/augment/options.h>
#include <lockstep/comm/options.h>
#include <lockstep/data/options.h>
#include <lockstep/eval/options.h>
#include <lockstep/models/options.h>
#include <lockstep/optim/options.h>
#include <lockstep/parallel/options.h>
#include <lockstep/telemetry/options.h>
#include <lockstep/train/memory_options.h>
#include <lockstep/train/options.h>
#include <lockstep/weights/options.h>

namespace lockstep::train {

struct Settings {
  RunOptions run;
  data::Options data;
  augment::Options augment;
  augment::DetectionOptions detection;
  models::Options model;
  TrainOptions train;
  MemoryOptions memory;
  optim::Options optim;
  optim::ScheduleOptions schedule;
  optim::PrecisionOptions precision;
  comm::Options comm;
  parallel::Options parallel;
  telemetry::Options telemetry;
  eval::Options eval;
  weights::Options weights;
};

}  // namespace lockstep::train
