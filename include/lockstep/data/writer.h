// Writes one data file of lockstep's format, streaming: memory does not grow with the number of
// samples, and nothing under the final name exists before the file is complete and verified.
#pragma once

#include <lockstep/data/dataset.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace lockstep::data {

struct WriterOptions {
  std::filesystem::path path;
  bool force = false;  // replace a file that is there
  std::string task = "classification";
  std::string split;
  std::vector<std::string> classes;
  std::int64_t num_samples = 0;  // exactly this many calls of add()
  std::int64_t num_boxes = 0;    // detection: over all samples
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
};

// One sample to write; what it points to is only read during add().
struct Sample {
  std::span<const std::byte> pixels;  // u8 (H, W, C)
  std::int64_t label = 0;             // classification
  std::int64_t sample_id = 0;
  Boxes boxes;  // detection
};

// Thread: one thread.
class Writer {
 public:
  // Creates a temporary file beside options.path and reserves its space.
  // Throws: Error(kIo) when the target exists and `force` is not set, the folder cannot be written
  // or there is no space; Error(kBadData) for shapes that the format does not hold.
  explicit Writer(const WriterOptions& options);
  // Removes the temporary file unless finish() was reached.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Throws: Error(kBadData) naming the sample (label outside the classes, wrong size), Error(kIo).
  void add(const Sample& sample);
  // Writes the attributes, closes, flushes to the disk, reads every byte back and compares it, and
  // renames to the final name. `progress` counts verified samples; it may be empty.
  // Throws: Error(kIo), also when what was read back is not what was written.
  DatasetInfo finish(const std::function<void(std::int64_t)>& progress = {});

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace lockstep::data
