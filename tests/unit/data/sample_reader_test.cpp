// Images of differing sizes come out in the size of the batch, from the file or the cache alike.
#include "sample_reader.h"

#include "loader_fixture.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace lockstep::data {
namespace {

// Raw images of differing sizes, or the JPEG files of them.
class MixedDataset final : public Dataset {
 public:
  explicit MixedDataset(bool jpeg) {
    info_.num_samples = 6;
    info_.channels = 3;
    info_.image_encoding = jpeg ? "jpeg" : "raw";
    info_.path = "mixed.h5";
    for (std::int32_t i = 0; i < 6; ++i) {
      Image image;
      image.size = {20 + 3 * i, 30 + 5 * i};
      image.channels = 3;
      for (std::int32_t y = 0; y < image.size.height; ++y) {
        for (std::int32_t x = 0; x < image.size.width; ++x) {
          image.pixels.push_back(static_cast<std::uint8_t>(4 * x + i));
          image.pixels.push_back(static_cast<std::uint8_t>(5 * y));
          image.pixels.push_back(static_cast<std::uint8_t>(100 + 10 * i));
        }
      }
      sizes_.push_back(image.size);
      if (jpeg) {
        stored_.push_back(encode_jpeg(image, 95));
      } else {
        const auto bytes = std::as_bytes(std::span(image.pixels));
        stored_.emplace_back(bytes.begin(), bytes.end());
      }
    }
  }
  const DatasetInfo& info() const override { return info_; }
  void read_pixels(std::int64_t, std::span<std::byte>, bool) const override { FAIL(); }
  ImageSize image_size(std::int64_t index) const override { return sizes_[at(index)]; }
  std::int64_t stored_bytes(std::int64_t index) const override {
    return std::ssize(stored_[at(index)]);
  }
  void read_stored(std::int64_t index, std::span<std::byte> out, bool) const override {
    ++reads;
    std::ranges::copy(stored_[at(index)], out.begin());
  }
  std::int64_t label(std::int64_t index) const override { return index; }
  std::int64_t sample_id(std::int64_t index) const override { return 50 + index; }
  std::vector<std::byte>& stored(std::int64_t index) { return stored_[at(index)]; }

  mutable std::atomic<int> reads{0};

 private:
  static std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }
  DatasetInfo info_;
  std::vector<ImageSize> sizes_;
  std::vector<std::vector<std::byte>> stored_;
};

LoaderOptions mixed_options(const Dataset& dataset) {
  LoaderOptions options = loader_options(dataset, 2);
  options.target = {16, 16};
  options.training = true;
  options.augment.random_crop = true;
  options.augment.crop_area = {0.3, 1.0};
  return options;
}

std::vector<std::uint8_t> all_pixels(const Dataset& dataset, const LoaderOptions& options) {
  std::vector<std::uint8_t> pixels;
  const auto loader = make_loader(dataset, gpu::host_backend(), options);
  while (const Batch* batch = loader->next()) {
    EXPECT_EQ(batch->height, 16);
    EXPECT_EQ(batch->width, 16);
    EXPECT_TRUE(batch->geometry_applied);
    pixels.insert(pixels.end(), batch->pixels.begin(), batch->pixels.end());
    loader->release(batch, nullptr);
  }
  return pixels;
}

TEST(SampleReader, PixelsAreThoseOfThePlan) {
  const MixedDataset dataset(false);
  const LoaderOptions options = mixed_options(dataset);
  const SampleReader reader(dataset, options);
  SampleReader::Scratch scratch;
  for (std::int64_t index = 0; index < 6; ++index) {
    std::vector<std::byte> out(16 * 16 * 3);
    const std::int64_t bytes = reader.read(index, 3, false, out, scratch);
    EXPECT_EQ(bytes, dataset.stored_bytes(index));
    const Geometry plan = plan_geometry(options.augment,
                                        true,
                                        options.sampler.seed,
                                        3,
                                        50 + index,
                                        dataset.image_size(index),
                                        {16, 16});
    std::vector<std::uint8_t> expected(out.size());
    std::vector<std::byte> stored(static_cast<std::size_t>(bytes));
    dataset.read_stored(index, stored, false);
    resize_region({reinterpret_cast<const std::uint8_t*>(stored.data()), stored.size()},
                  dataset.image_size(index),
                  3,
                  plan.region,
                  {16, 16},
                  expected);
    EXPECT_EQ(std::memcmp(out.data(), expected.data(), out.size()), 0) << index;
  }
}

TEST(SampleReader, JpegShowsThePlannedPart) {
  const MixedDataset raw(false);
  const MixedDataset jpeg(true);
  const auto expected = all_pixels(raw, mixed_options(raw));
  const auto found = all_pixels(jpeg, mixed_options(jpeg));
  ASSERT_EQ(found.size(), expected.size());
  double difference = 0;
  for (std::size_t i = 0; i < found.size(); ++i) difference += std::abs(found[i] - expected[i]);
  EXPECT_LT(difference / static_cast<double>(found.size()), 4);
}

TEST(SampleReader, ThreadsDoNotChangeAByte) {
  const MixedDataset dataset(true);
  LoaderOptions options = mixed_options(dataset);
  const auto expected = all_pixels(dataset, options);
  for (options.threads = 2; options.threads <= 4; ++options.threads) {
    EXPECT_EQ(all_pixels(dataset, options), expected);
  }
}

TEST(SampleReader, TheCacheDoesNotChangeAByteOnceItIsGiven) {
  for (const bool is_jpeg : {false, true}) {
    const MixedDataset dataset(is_jpeg);
    LoaderOptions options = mixed_options(dataset);
    options.num_epochs = 4;
    const std::size_t size = 64 * 1024;
    std::vector<std::vector<std::uint8_t>> found;
    // Room for nothing, for some, for all: the bytes are the same, the reads are not.
    std::vector<int> reads;
    for (const std::size_t budget : {std::size_t{128}, std::size_t{16} * 1024, size}) {
      const std::unique_ptr<std::byte, decltype(&std::free)> memory(
          static_cast<std::byte*>(std::aligned_alloc(64, size)), std::free);
      std::memset(memory.get(), 0, size);
      options.cache = {memory.get(), budget};
      dataset.reads = 0;
      found.push_back(all_pixels(dataset, options));
      reads.push_back(dataset.reads);
    }
    EXPECT_EQ(found[1], found[0]);
    EXPECT_EQ(found[2], found[0]);
    EXPECT_EQ(reads[0], 24);
    EXPECT_LT(reads[1], 24);
    EXPECT_EQ(reads[2], 6);
    options.cache = {};
    if (is_jpeg) continue;  // which is decoded whole only when there is a cache
    EXPECT_EQ(all_pixels(dataset, options), found[0]);
  }
}

TEST(SampleReader, ABrokenImageIsNamed) {
  MixedDataset dataset(true);
  dataset.stored(4).resize(40);
  LoaderOptions options = mixed_options(dataset);
  options.sampler.batch_per_rank = 6;
  const auto loader = make_loader(dataset, gpu::host_backend(), options);
  expect_error(ExitCode::kBadData, {"mixed.h5", "sample 4"}, [&] { loader->next(); });
  options.on_broken = "skip";
  const auto skipping = make_loader(dataset, gpu::host_backend(), options);
  const Batch* batch = skipping->next();
  EXPECT_EQ(batch->num_replaced, 1);
  EXPECT_EQ(std::count(batch->sample_ids.begin(), batch->sample_ids.end(), 55), 2);
}

TEST(SampleReader, ATableThatLiesAboutAPictureIsBadData) {
  MixedDataset dataset(true);
  std::swap(dataset.stored(0), dataset.stored(5));
  const LoaderOptions options = mixed_options(dataset);
  const SampleReader reader(dataset, options);
  SampleReader::Scratch scratch;
  std::vector<std::byte> out(reader.sample_bytes());
  for (const std::int64_t index : {0, 5}) {
    expect_error(ExitCode::kBadData, {"mixed.h5", "another size"}, [&] {
      reader.read(index, 0, true, out, scratch);
    });
  }
}

// A picture that ends early shows it in every part when broken ones are skipped, so that ranks and
// resumed runs agree; otherwise only in parts that reach the damage.
TEST(SampleReader, WhereBrokenOnesAreSkippedTheWholePictureCounts) {
  MixedDataset dataset(true);
  dataset.stored(5).resize(dataset.stored(5).size() - 40);
  LoaderOptions options = mixed_options(dataset);
  options.augment.crop_area = {0.02, 0.05};
  for (const char* policy : {"error", "skip"}) {
    options.on_broken = policy;
    const SampleReader reader(dataset, options);
    SampleReader::Scratch scratch;
    std::vector<std::byte> out(reader.sample_bytes());
    int broken = 0;
    for (std::int64_t epoch = 0; epoch < 40; ++epoch) {
      try {
        reader.read(5, epoch, true, out, scratch);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::kBadData);
        ++broken;
      }
    }
    if (options.on_broken == "skip") {
      EXPECT_EQ(broken, 40);
    } else {
      EXPECT_LT(broken, 40);
    }
  }
}

TEST(SampleReader, DifferingSizesNeedATarget) {
  const MixedDataset dataset(false);
  LoaderOptions options = mixed_options(dataset);
  options.target = {};
  expect_error(ExitCode::kConfig, {"model.image_size"}, [&] {
    make_loader(dataset, gpu::host_backend(), options);
  });
}

TEST(SampleReader, FloatsAreMadeOnTheReaderThreads) {
  const MemoryDataset dataset(10);
  LoaderOptions options = loader_options(dataset, 4);
  options.num_epochs = 1;
  options.to_floats = [](std::span<const std::uint8_t> pixels,
                         std::int64_t epoch,
                         std::int64_t id,
                         std::span<float> out) {
    EXPECT_EQ(epoch, 0);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<float>(pixels[i]) + static_cast<float>(id);
    }
  };
  const auto loader = make_loader(dataset, gpu::host_backend(), options);
  std::int64_t seen = 0;
  while (const Batch* batch = loader->next()) {
    EXPECT_TRUE(batch->pixels.empty());
    ASSERT_EQ(batch->floats.size(), 4U * 16U);
    for (std::size_t i = 0; i < 4; ++i) {
      const std::int64_t id = batch->sample_ids[i];
      const auto expected =
          id < 0 ? 0.0F : static_cast<float>((id - 1000 + 3) & 255) + static_cast<float>(id);
      EXPECT_EQ(batch->floats[i * 16 + 3], expected);
      seen += id < 0 ? 0 : 1;
    }
    loader->release(batch, nullptr);
  }
  EXPECT_EQ(seen, 10);
}

}  // namespace
}  // namespace lockstep::data
