// Writes data files of lockstep's format, streaming: what stays in memory is 20 to 40 bytes a
// sample, and nothing under the final name exists before everything is complete and verified.
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
  std::filesystem::path path;  // with num_shards: of the manifest, NAME.json
  bool force = false;          // replace a file that is there
  std::string task = "classification";
  std::string split;
  std::vector<std::string> classes;
  // Upper bounds: what a source leaves out makes fewer. Space is reserved by them.
  std::int64_t num_samples = 0;
  std::int64_t num_boxes = 0;    // detection: over all samples
  std::string encoding = "raw";  // raw: u8 (H, W, C) pixels; jpeg: whole JPEG files
  std::int64_t height = 0;       // raw, all of one size; else 0
  std::int64_t width = 0;
  std::int64_t channels = 0;       // 1 or 3; jpeg: what to decode to
  std::vector<double> image_mean;  // per channel in [0, 1]; empty: measured from the samples
  std::vector<double> image_std;
  std::int64_t num_shards = 0;  // 0: one file; else at most this many beside a manifest
  bool deflate = false;         // raw, one size: chunks of one sample, shuffled and deflated
};

// One sample to write; what it points to is only read during add().
struct Sample {
  std::span<const std::byte> bytes;  // as stored: u8 (H, W, C), or a JPEG file
  ImageSize size;                    // of the pixels
  std::int64_t label = 0;            // classification
  std::int64_t sample_id = 0;
  Boxes boxes;  // detection
  // jpeg: pixels for image_mean and image_std, u8 (..., C): the decoded image, or one reduced by 2,
  // 4 or 8. Where no sample has any, both are 0.5. Raw: not looked at.
  std::span<const std::byte> pixels;
};

// Thread: one thread.
class Writer {
 public:
  // Creates a temporary file beside options.path and reserves its space where the sizes are known.
  // Throws: Error(kIo) when the target exists and `force` is not set, the folder cannot be written
  // or there is no space; Error(kBadData) for shapes that the format does not hold.
  explicit Writer(const WriterOptions& options);
  // Removes the temporary files unless finish() was reached.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Requires: at most num_samples times; raw: bytes.size() is height * width * channels.
  // Throws: Error(kBadData) naming the sample (label outside the classes, impossible size),
  // Error(kIo), also when the disk is full.
  void add(const Sample& sample);
  // Writes tables and attributes, closes, flushes to the disk, reads every byte back and compares
  // it, and renames to the final name; a manifest is written last. `progress` counts verified
  // samples; it may be empty.
  // Throws: Error(kBadData) when there are no samples; Error(kIo), also when what was read back is
  // not what was written.
  DatasetInfo finish(const std::function<void(std::int64_t)>& progress = {});

 private:
  class State;
  std::filesystem::path path_;
  std::unique_ptr<State> state_;
};

}  // namespace lockstep::data
