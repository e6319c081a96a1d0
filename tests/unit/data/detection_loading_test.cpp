// Batches of detection data sets through the loaders: the same samples, plans and pixels on any
// number of ranks and threads, from memory and from real files.
#include "loader_fixture.h"

#include <lockstep/data/import_images.h>

#include <support/painted_dataset.h>

#include <cstdlib>

namespace lockstep::data {
namespace {

using test::PaintedDataset;
using test::small_recipe;

// What one sample is in a batch.
struct Delivered {
  ImageSize padded;
  std::int64_t step_boxes = 0;
  std::vector<float> boxes;
  std::vector<std::int64_t> classes;
  std::vector<std::uint8_t> pixels;

  bool operator==(const Delivered&) const = default;
};

LoaderOptions detection_options(const Dataset& dataset, std::int64_t batch) {
  LoaderOptions options = loader_options(dataset, batch);
  options.detection = small_recipe();
  options.training = true;
  return options;
}

Delivered sample_of(const Batch& batch, std::size_t i) {
  const DetectionBatch& detection = *batch.detection;
  const DetectionImage& image = detection.images[i];
  const auto first = i * static_cast<std::size_t>(detection.max_boxes);
  const auto count = static_cast<std::size_t>(detection.counts[i]);
  const auto boxes = detection.boxes.subspan(4 * first, 4 * count);
  const auto classes = detection.classes.subspan(first, count);
  const auto pixels = batch.pixels.subspan(static_cast<std::size_t>(image.offset),
                                           image.stored_bytes(batch.channels));
  return {detection.padded,
          detection.num_boxes_global,
          {boxes.begin(), boxes.end()},
          {classes.begin(), classes.end()},
          {pixels.begin(), pixels.end()}};
}

// By epoch and sample id.
using Samples = std::map<std::pair<std::int64_t, std::int64_t>, Delivered>;

void take_all(const Dataset& dataset, const LoaderOptions& options, Samples& samples) {
  const auto loader = make_loader(dataset, gpu::host_backend(), options);
  while (const Batch* batch = loader->next()) {
    ASSERT_NE(batch->detection, nullptr);
    EXPECT_EQ(batch->height, batch->detection->padded.height);
    EXPECT_EQ(batch->width, batch->detection->padded.width);
    for (std::size_t i = 0; i < batch->sample_ids.size(); ++i) {
      if (batch->sample_ids[i] < 0) {
        EXPECT_EQ(batch->weights[i], 0);
        EXPECT_EQ(batch->detection->counts[i], 0);
        continue;
      }
      const auto [place, added] =
          samples.emplace(std::pair(batch->epoch, batch->sample_ids[i]), sample_of(*batch, i));
      EXPECT_TRUE(added) << "a sample came twice: " << batch->sample_ids[i];
    }
    loader->release(batch, nullptr);
  }
}

TEST(DetectionLoading, RanksAndThreadsTogetherDeliverTheSame) {
  const PaintedDataset dataset(27);  // the last step is padded
  LoaderOptions options = detection_options(dataset, 8);
  Samples expected;
  take_all(dataset, options, expected);
  EXPECT_EQ(expected.size(), 54U);
  for (const std::int64_t ranks : {1, 2, 4}) {
    for (const std::int64_t threads : {1, 3}) {
      for (const std::int64_t accumulate : {1, 2}) {
        Samples samples;
        options.sampler.num_ranks = ranks;
        options.sampler.accumulate = accumulate;
        options.sampler.batch_per_rank = 8 / ranks / accumulate;
        options.threads = threads;
        for (options.rank = 0; options.rank < ranks; ++options.rank) {
          take_all(dataset, options, samples);
        }
        EXPECT_EQ(samples, expected) << ranks << " ranks, " << threads << " threads";
      }
    }
  }
}

TEST(DetectionLoading, SizesOfStepsDiffer) {
  const PaintedDataset dataset(27);
  Samples samples;
  take_all(dataset, detection_options(dataset, 2), samples);
  std::map<std::int32_t, int> heights;
  for (const auto& [id, sample] : samples) {
    ++heights[sample.padded.height];
    EXPECT_EQ(sample.padded.height % 16, 0);
  }
  EXPECT_GT(heights.size(), 2U);
}

TEST(DetectionLoading, BothReadersGiveTheSame) {
  const PaintedDataset dataset(9);
  LoaderOptions options = detection_options(dataset, 4);
  Samples engine;
  take_all(dataset, options, engine);
  options.reader = "naive";
  Samples naive;
  take_all(dataset, options, naive);
  EXPECT_EQ(engine, naive);
}

TEST(DetectionLoading, AFailedBatchKeepsTheStepsSize) {
  PaintedDataset dataset(8);
  dataset.failing = 5;
  const LoaderOptions options = detection_options(dataset, 8);
  const auto loader = make_loader(dataset, gpu::host_backend(), options);
  expect_error(ExitCode::kBadData, {"sample 5 is bad"}, [&] { loader->next(); });
  const Batch* batch = loader->next();
  ASSERT_NE(batch, nullptr);
  EXPECT_EQ(batch->num_real, 0);
  EXPECT_GT(batch->detection->num_boxes_global, 0);
  EXPECT_GE(batch->detection->padded.height, 40);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(batch->detection->counts[i], 0);
    EXPECT_EQ(batch->detection->images[i].stored, ImageSize{});
    EXPECT_EQ(batch->detection->images[i].plan.size, batch->detection->padded);
  }
}

TEST(DetectionLoading, BrokenSamplesAreNotReplaced) {
  const PaintedDataset dataset(8);
  LoaderOptions options = detection_options(dataset, 4);
  options.on_broken = "skip";
  expect_error(ExitCode::kConfig, {"data.on_broken = skip", "detection"}, [&] {
    make_loader(dataset, gpu::host_backend(), options);
  });
}

TEST(DetectionLoading, AnEmptyDataSetIsRefused) {
  const PaintedDataset dataset(0);
  expect_error(ExitCode::kConfig, {"0 samples"}, [&] {
    make_loader(dataset, gpu::host_backend(), detection_options(dataset, 4));
  });
}

TEST(DetectionLoading, FloatsComeFromTheHook) {
  const PaintedDataset dataset(7);  // one of the second batch is padding
  LoaderOptions options = detection_options(dataset, 4);
  options.reader = "naive";  // slabs in turn: three for two batches an epoch
  options.prefetch = 3;
  options.num_epochs = 6;
  options.detection_to_floats = [](std::span<const std::uint8_t> pixels,
                                   const DetectionImage& image,
                                   ImageSize padded,
                                   std::span<float> out) {
    EXPECT_EQ(pixels.size(), image.stored_bytes(3));
    EXPECT_EQ(std::ssize(out), std::int64_t{3} * padded.height * padded.width);
    std::ranges::fill(out, static_cast<float>(image.plan.size.height));
  };
  const auto loader = make_loader(dataset, gpu::host_backend(), options);
  while (const Batch* batch = loader->next()) {
    const std::size_t size = batch->floats.size() / 4;
    for (std::size_t i = 0; i < 4; ++i) {
      const bool real = batch->weights[i] > 0;
      const std::int32_t height = batch->detection->images[i].plan.size.height;
      const float wanted = real ? static_cast<float>(height) : 0.0F;
      EXPECT_EQ(batch->floats[i * size], wanted);
      EXPECT_EQ(batch->floats[i * size + size - 1], wanted);
    }
    loader->release(batch, nullptr);
  }
}

// The same samples from a file of one size, of its own; ids are those of the file.
TEST(DetectionLoading, ReadsFilesOfOneSize) {
  const TemporaryFolder folder;
  write_small(folder / "d.h5", 10, true);
  const auto dataset = open_dataset(folder / "d.h5", {});
  LoaderOptions options = detection_options(*dataset, 4);
  options.training = false;
  options.detection.eval_short_side = dataset->image_size(0).height;
  Samples samples;
  take_all(*dataset, options, samples);
  ASSERT_EQ(samples.size(), 20U);
  for (std::int64_t i = 0; i < 10; ++i) {
    const Delivered& sample = samples.at({1, i});
    const auto stored = pixels_of(*dataset, i);
    const auto delivered = std::as_bytes(std::span(sample.pixels));
    EXPECT_TRUE(std::ranges::equal(delivered, stored)) << i;
    EXPECT_TRUE(std::ranges::equal(sample.boxes, dataset->boxes(i).corners)) << i;
    EXPECT_TRUE(std::ranges::equal(sample.classes, dataset->boxes(i).classes)) << i;
  }
}

// Six real pictures as JPEG files and as pixels of their own sizes: the parts that are read are
// nearly the same, the boxes exactly, with and without a cache.
TEST(DetectionLoading, ReadsJpegFilesInPart) {
  const char* source_folder = std::getenv("LOCKSTEP_SOURCE");
  if (source_folder == nullptr) GTEST_SKIP() << "LOCKSTEP_SOURCE is not set";
  const TemporaryFolder folder;
  std::map<std::string, Samples> found;
  for (const std::string kind : {"raw", "jpeg", "jpeg with cache"}) {
    ImageImportOptions importing;
    importing.encoding = kind.substr(0, kind.find(' '));
    const auto source =
        open_voc(std::filesystem::path(source_folder) / "datasets/bccd", "", {}, importing);
    import_samples(*source, {folder / "d.h5", "train", true}, {}, {});
    const auto dataset = open_dataset(folder / "d.h5", {});
    ASSERT_FALSE(dataset->info().uniform());
    LoaderOptions options = detection_options(*dataset, 3);
    options.detection = {};
    options.detection.short_sides = {200, 480};
    const auto cache = gpu::host_backend().make_pinned(std::size_t{1} << 23);
    std::fill_n(cache->data(), cache->size_bytes(), std::byte{});
    if (kind.ends_with("cache")) options.cache = {cache->data(), cache->size_bytes()};
    take_all(*dataset, options, found[kind]);
  }
  EXPECT_EQ(found["raw"].size(), 12U);
  for (const auto& [id, sample] : found["raw"]) {
    for (const std::string kind : {"jpeg", "jpeg with cache"}) {
      const Delivered& other = found[kind].at(id);
      EXPECT_EQ(other.padded, sample.padded);
      EXPECT_EQ(other.boxes, sample.boxes);
      ASSERT_EQ(other.pixels.size(), sample.pixels.size());
      double difference = 0;
      for (std::size_t i = 0; i < sample.pixels.size(); ++i) {
        difference += std::abs(int{sample.pixels[i]} - int{other.pixels[i]});
      }
      EXPECT_LT(difference / static_cast<double>(sample.pixels.size()), 1.0) << kind;
    }
  }
}

}  // namespace
}  // namespace lockstep::data
