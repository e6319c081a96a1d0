// A run that takes milliseconds: one rank, a ViT of width 8, synthetic images of 8 x 8 in 4
// classes.
#pragma once

#include "support/temporary_folder.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/data/import.h>
#include <lockstep/train/run.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace lockstep::train {

inline constexpr std::int64_t kSide = 8;
inline constexpr std::int64_t kClasses = 4;

inline void write_synthetic(const std::filesystem::path& path,
                            std::int64_t num_samples,
                            std::int64_t image_size = kSide,
                            std::int64_t num_classes = kClasses) {
  data::SyntheticOptions options;
  options.num_samples = num_samples;
  options.image_size = image_size;
  options.num_classes = num_classes;
  options.channels = 1;
  const auto nothing = [](std::int64_t) {};
  data::import_samples(*data::make_synthetic(options), {path, "train", true}, nothing, nothing);
}

// Flips a bit of one sample's pixels.
inline void spoil_sample(const std::filesystem::path& path, std::int64_t index) {
  const auto dataset = data::open_dataset(path, {});
  std::string pixels(static_cast<std::size_t>(dataset->sample_bytes()), '\0');
  dataset->read_pixels(index, std::as_writable_bytes(std::span(pixels)), true);
  std::string bytes = read_text(path);
  const std::size_t at = bytes.find(pixels);
  ASSERT_NE(at, std::string::npos);
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  write_file(path, bytes);
}

inline models::Options tiny_model() {
  models::Options model;
  model.image_size = kSide;
  model.patch_size = 4;
  model.in_channels = 1;
  model.num_classes = kClasses;
  model.dim = 8;
  model.depth = 1;
  model.heads = 2;
  return model;
}

struct TinyRun {
  explicit TinyRun(std::int64_t num_samples = 20) {
    settings.data.train = (folder / "train.h5").string();
    write_synthetic(settings.data.train, num_samples);
    settings.run.dir = (folder / "run").string();
    settings.run.device = "cpu";
    settings.model = tiny_model();
    settings.train.batch_per_rank = 8;
    settings.telemetry.log_every = 1;
    settings.comm.first_bucket_mib = 0.001;
  }

  void add_val(std::int64_t num_samples) {
    settings.data.val = (folder / "val.h5").string();
    write_synthetic(settings.data.val, num_samples);
  }
  std::filesystem::path run_dir() const { return settings.run.dir; }

  TemporaryFolder folder;
  Settings settings;
  std::unique_ptr<comm::World> world = comm::open_solo_world();
  comm::Device device{&gpu::host_backend(), 0};
  comm::Mesh mesh = world->open_mesh(comm::Options{}, device, false);
  Position position;
  Job job{*world, mesh, device, settings, "[run]\nseed = 0\n", "lockstep train", position};
};

// The call must end the run on all ranks with this code and these words.
template <class Call>
void expect_agreed_error(ExitCode code, const std::string& words, const Call& call) {
  try {
    call();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const comm::AgreedError& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

}  // namespace lockstep::train
