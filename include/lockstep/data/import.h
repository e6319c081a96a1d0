// Sources of samples that `lockstep prepare` turns into a data file.
#pragma once

#include <lockstep/data/writer.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lockstep::data {

// A stream of samples whose number and size are known in advance.
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  // Task, classes, counts and sizes; path, split and force are the caller's.
  virtual WriterOptions shape() const = 0;
  // The next sample, valid until the next call. Requires: called num_samples times at most.
  // Throws: Error(kBadData) naming file and place, Error(kIo).
  virtual Sample next() = 0;
};

// MNIST's idx files (http://yann.lecun.com/exdb/mnist: magic, big-endian sizes, bytes), plain or
// gzip. Empty `classes`: "0" to the largest label.
// Throws: Error(kIo) when a file cannot be opened, Error(kBadData) for a wrong magic, counts that
// do not match, too few or too many bytes, damaged gzip.
std::unique_ptr<SampleSource> open_idx(const std::filesystem::path& images,
                                       const std::filesystem::path& labels,
                                       const std::vector<std::string>& classes);

struct SyntheticOptions {
  std::int64_t num_samples = 0;
  std::int64_t image_size = 32;
  std::int64_t num_classes = 10;
  std::int64_t channels = 3;
  std::uint64_t seed = 0;
  bool detection = false;
};

// Seeded images from which label or boxes can be read off exactly; docs/dataset-format.md has the
// rule. Sample i is a pure function of (options, i). Throws: Error(kUsage) for sizes that cannot
// hold the classes.
std::unique_ptr<SampleSource> make_synthetic(const SyntheticOptions& options);

// Side of the grid of cells that a synthetic classification image of K classes is divided into.
std::int64_t synthetic_grid(std::int64_t num_classes);
// The class that the pixels (S, S, C) show.
std::int64_t decode_synthetic(std::span<const std::byte> pixels, const SyntheticOptions& options);

struct ImportTarget {
  std::filesystem::path path;
  std::string split;
  bool force = false;
};

// Writes all samples of the source. The callbacks count samples; what they throw ends the work and
// leaves nothing behind. Throws: as Writer and SampleSource.
DatasetInfo import_samples(SampleSource& source,
                           const ImportTarget& target,
                           const std::function<void(std::int64_t)>& written,
                           const std::function<void(std::int64_t)>& verified);

}  // namespace lockstep::data
