// Sources of samples that `lockstep prepare` turns into a data file.
#pragma once

#include <lockstep/data/writer.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lockstep::data {

// A stream of samples.
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  // Task, classes, encoding, sizes and upper bounds of the counts; path, split, force and shards
  // are the caller's (a split that is set here is the default).
  virtual WriterOptions shape() const = 0;
  // The next sample, valid until the next call; nothing at the end. What is left out is skipped
  // here and told by summary(). Throws: Error(kBadData) naming file and place, Error(kIo).
  virtual std::optional<Sample> next() = 0;
  // After the end: what was left out and why, one line each ("2 boxes of no area: a.jpg, b.jpg").
  virtual std::vector<std::string> summary() const { return {}; }
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

// The samples of a data set that can be read, in its order: a file of ours, a manifest, a foreign
// file (chunks are read in the order in which they lie). Every sample is checked against its
// checksum where there is one. `deflate`: write chunks of one sample, deflated.
// Throws: as open_dataset; Error(kUsage) for `deflate` with jpeg or differing sizes.
std::unique_ptr<SampleSource> open_repack(const std::filesystem::path& path,
                                          const Options& options,
                                          bool deflate);

struct ImportTarget {
  std::filesystem::path path;  // with num_shards, NAME.h5 means NAME.json
  std::string split;           // empty: that of the source
  bool force = false;
  std::int64_t num_shards = 0;  // 0: one file
};

// Writes all samples of the source. The callbacks count samples; what they throw ends the work and
// leaves nothing behind. Throws: as Writer and SampleSource.
DatasetInfo import_samples(SampleSource& source,
                           const ImportTarget& target,
                           const std::function<void(std::int64_t)>& written,
                           const std::function<void(std::int64_t)>& verified);

}  // namespace lockstep::data
