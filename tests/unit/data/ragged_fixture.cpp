#include "ragged_fixture.h"

#include <lockstep/base/random.h>

namespace lockstep::data {

WriterOptions RaggedSource::shape() const {
  WriterOptions shape;
  shape.task = options_.detection ? "detection" : "classification";
  shape.split = "val";
  shape.classes = {"a", "b", "c"};
  shape.num_samples = options_.announced < 0 ? options_.num_samples : options_.announced;
  shape.num_boxes = 2 * shape.num_samples;
  shape.encoding = options_.encoding;
  shape.channels = options_.channels;
  return shape;
}

ImageSize RaggedSource::size_of_sample(std::int64_t index) {
  return {static_cast<std::int32_t>(3 + index % 5), static_cast<std::int32_t>(2 + index % 7)};
}

std::vector<std::byte> RaggedSource::bytes_of_sample(std::int64_t index) const {
  const ImageSize size = size_of_sample(index);
  std::int64_t count = std::int64_t{size.height} * size.width * options_.channels;
  if (options_.encoding == "jpeg") count = 5 + index * 13 % 101;
  PhiloxStream random(3, static_cast<std::uint64_t>(index));
  std::vector<std::byte> bytes(static_cast<std::size_t>(count));
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
  return bytes;
}

std::optional<Sample> RaggedSource::next() {
  if (next_ == options_.num_samples) return std::nullopt;
  const std::int64_t index = next_++;
  bytes_ = bytes_of_sample(index);
  pixels_.assign(static_cast<std::size_t>(6 * options_.channels), static_cast<std::byte>(51));
  const auto count = options_.detection ? static_cast<std::size_t>(index % 3) : 0U;
  corners_.assign(4 * count, static_cast<float>(index));
  names_.assign(count, index % 3);
  areas_.assign(count, 0.5F);
  crowd_.assign(count, 1);
  Sample sample;
  sample.bytes = bytes_;
  sample.size = size_of_sample(index);
  sample.label = index % 3;
  sample.sample_id = 100 + index;
  sample.boxes = {corners_, names_, areas_, crowd_};
  sample.pixels = pixels_;
  return sample;
}

DatasetInfo write_ragged(const std::filesystem::path& path,
                         const RaggedOptions& options,
                         std::int64_t num_shards) {
  RaggedSource source(options);
  return import_samples(source, {path, "train", false, num_shards}, {}, {});
}

std::vector<std::byte> stored_of(const Dataset& dataset, std::int64_t index, bool verify) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(dataset.stored_bytes(index)));
  dataset.read_stored(index, bytes, verify);
  return bytes;
}

void expect_ragged(const Dataset& dataset, const RaggedOptions& options) {
  const DatasetInfo& info = dataset.info();
  ASSERT_EQ(info.num_samples, options.num_samples);
  EXPECT_FALSE(info.uniform());
  EXPECT_EQ(info.image_encoding, options.encoding);
  EXPECT_EQ(info.channels, options.channels);
  EXPECT_EQ(info.task, options.detection ? "detection" : "classification");
  const RaggedSource source(options);
  for (std::int64_t i = 0; i < options.num_samples; ++i) {
    EXPECT_EQ(stored_of(dataset, i), source.bytes_of_sample(i)) << i;
    EXPECT_EQ(dataset.image_size(i), RaggedSource::size_of_sample(i)) << i;
    EXPECT_EQ(dataset.label(i), options.detection ? 0 : i % 3);
    EXPECT_EQ(dataset.sample_id(i), 100 + i);
    const Boxes boxes = dataset.boxes(i);
    ASSERT_EQ(std::ssize(boxes.classes), options.detection ? i % 3 : 0);
    ASSERT_EQ(boxes.corners.size(), 4 * boxes.classes.size());
    for (const float corner : boxes.corners) EXPECT_EQ(corner, static_cast<float>(i));
  }
}

}  // namespace lockstep::data
