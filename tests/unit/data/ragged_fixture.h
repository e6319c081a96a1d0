// Samples of differing sizes, raw or as made-up JPEG files, and data sets of them.
#pragma once

#include "data_fixture.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lockstep::data {

struct RaggedOptions {
  std::int64_t num_samples = 9;
  std::string encoding = "raw";  // or jpeg: bytes that no decoder would take
  bool detection = false;
  std::int64_t channels = 3;
  std::int64_t announced = -1;  // upper bound of the samples; -1: num_samples
};

// Sample i is a pure function of the options and i: sizes (3 + i % 5, 2 + i % 7), label i % 3,
// sample_id 100 + i, i % 3 boxes.
class RaggedSource final : public SampleSource {
 public:
  explicit RaggedSource(const RaggedOptions& options) : options_(options) {}
  WriterOptions shape() const override;
  std::optional<Sample> next() override;
  std::vector<std::string> summary() const override { return {"1 image: too small"}; }

  std::vector<std::byte> bytes_of_sample(std::int64_t index) const;
  static ImageSize size_of_sample(std::int64_t index);

 private:
  RaggedOptions options_;
  std::vector<std::byte> bytes_;
  std::vector<std::byte> pixels_;
  std::vector<float> corners_;
  std::vector<std::int64_t> names_;
  std::vector<float> areas_;
  std::vector<std::uint8_t> crowd_;
  std::int64_t next_ = 0;
};

DatasetInfo write_ragged(const std::filesystem::path& path,
                         const RaggedOptions& options,
                         std::int64_t num_shards = 0);

std::vector<std::byte> stored_of(const Dataset& dataset, std::int64_t index, bool verify = true);

// The samples of the data set are those of the options, in order.
void expect_ragged(const Dataset& dataset, const RaggedOptions& options);

}  // namespace lockstep::data
