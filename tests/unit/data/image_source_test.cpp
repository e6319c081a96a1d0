// Pictures and boxes of a table become samples, in order, whatever the number of threads.
#include "image_source.h"

#include "data_fixture.h"
#include "image_fixture.h"

namespace lockstep::data {
namespace {

struct Delivered {
  Bytes bytes;
  ImageSize size;
  std::int64_t label = 0;
  std::int64_t id = 0;
  std::vector<float> corners;
  std::vector<float> areas;

  bool operator==(const Delivered&) const = default;
};

class ImageSourceTest : public ::testing::Test {
 protected:
  ImageSourceTest() {
    for (int i = 0; i < 40; ++i) {
      const std::string name = "p" + std::to_string(i) + ".png";
      const auto side = static_cast<std::int32_t>(20 + i);
      write_file(folder_ / name,
                 text_of(make_png(make_picture({20, side}, 3, 5U + static_cast<unsigned>(i)))));
      ImageTable::Item item;
      item.label = i % 3;
      item.sample_id = 100 + i;
      parts_.table.add(name, item);
      if (detection_) parts_.table.add_box({{2, 4, 10, 12}, 0, 64, false});
    }
    parts_.classes = {"a", "b", "c"};
    parts_.task = "classification";
  }

  std::vector<Delivered> all() {
    std::vector<Delivered> samples;
    const auto source = make_image_source(SourceFolder(folder_.path()), parts_, options_);
    while (const auto sample = source->next()) {
      samples.push_back({{sample->bytes.begin(), sample->bytes.end()},
                         sample->size,
                         sample->label,
                         sample->sample_id,
                         {sample->boxes.corners.begin(), sample->boxes.corners.end()},
                         {sample->boxes.areas.begin(), sample->boxes.areas.end()}});
    }
    EXPECT_FALSE(source->next().has_value());
    summary_ = source->summary();
    return samples;
  }

  TemporaryFolder folder_;
  bool detection_ = false;
  ImageSourceParts parts_;
  ImageImportOptions options_;
  std::vector<std::string> summary_;
};

TEST_F(ImageSourceTest, ThreadsDoNotChangeWhatComes) {
  options_.num_threads = 1;
  const auto alone = all();
  ASSERT_EQ(alone.size(), 40U);
  EXPECT_EQ(alone[7].label, 1);
  EXPECT_EQ(alone[7].id, 107);
  EXPECT_EQ(alone[7].size, (ImageSize{20, 27}));
  options_.num_threads = 5;
  EXPECT_EQ(all(), alone);
  EXPECT_TRUE(summary_.empty());
}

TEST_F(ImageSourceTest, ShapeSaysWhatComes) {
  options_.image_size = 16;
  const WriterOptions shape =
      make_image_source(SourceFolder(folder_.path()), parts_, options_)->shape();
  EXPECT_EQ(shape.num_samples, 40);
  EXPECT_EQ(shape.height, 16);
  EXPECT_EQ(shape.channels, 3);
  EXPECT_EQ(shape.encoding, "raw");
}

TEST_F(ImageSourceTest, ABrokenPictureIsAnErrorThatNamesIt) {
  write_file(folder_ / "p3.png", "not a picture");
  expect_error(ExitCode::kBadData, {"p3.png", "neither", "--on-broken skip"}, [&] { all(); });
}

TEST_F(ImageSourceTest, BrokenPicturesAreLeftOutAndListed) {
  write_file(folder_ / "p3.png", "not a picture");
  write_file(folder_ / "p5.png", "nor this");
  std::filesystem::remove(folder_ / "p8.png");
  options_.on_broken = BrokenImages::kSkip;
  const auto samples = all();
  EXPECT_EQ(samples.size(), 37U);
  EXPECT_EQ(samples[3].id, 104);
  EXPECT_EQ(
      summary_,
      (std::vector<std::string>{"2 broken pictures (neither a JPEG nor a PNG file): p3.png, p5.png",
                                "1 broken pictures (there is no such file): p8.png"}));
}

TEST_F(ImageSourceTest, BoxesAreCutPlacedAndLeftOut) {
  parts_.task = "detection";
  parts_.table = {};
  parts_.table.add("p20.png", {0, 7, {20, 40}});
  parts_.table.add_box({{-5, 2, 10, 12}, 1, 150, false});
  parts_.table.add_box({{3, 3, 3, 9}, 1, 0, false});
  parts_.table.add_box({{40, 2, 50, 12}, 1, 100, false});
  parts_.table.add_box({{30, 10, 99, 99}, 2, 100, true});
  options_.image_size = 20;
  const auto samples = all();
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].corners, (std::vector<float>{0, 1, 5, 6, 15, 5, 20, 10}));
  EXPECT_EQ(samples[0].areas, (std::vector<float>{37.5F, 25}));
  EXPECT_EQ(summary_,
            (std::vector<std::string>{"1 boxes of no area: p20.png",
                                      "1 boxes outside of their picture: p20.png"}));
}

// In floats, 41 pixels times 22 / 41 is more than 22.
TEST_F(ImageSourceTest, BoxesOfAWholePictureEndWithIt) {
  parts_.task = "detection";
  parts_.table = {};
  parts_.table.add("p21.png", {0, 7, {20, 41}});
  parts_.table.add_box({{0, 0, 41, 20}, 1, 820, false});
  options_.image_size = 22;
  const auto samples = all();
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].corners[2], 22.0F);
}

TEST_F(ImageSourceTest, AnAnnotationOfAnotherSizeIsAnError) {
  parts_.table = {};
  parts_.table.add("p20.png", {0, 7, {40, 20}});
  expect_error(ExitCode::kBadData, {"p20.png", "20 x 40", "40 x 20"}, [&] { all(); });
}

TEST_F(ImageSourceTest, JpegSamplesAreFiles) {
  options_.encoding = "jpeg";
  const auto source = make_image_source(SourceFolder(folder_.path()), parts_, options_);
  const Sample sample = source->next().value();
  EXPECT_EQ(read_image_header(sample.bytes).size, sample.size);
  EXPECT_EQ(sample.pixels.size(), 20U * 20U * 3U);
}

TEST_F(ImageSourceTest, OptionsThatDoNotFit) {
  const auto refused = [this](auto change, const char* what) {
    ImageImportOptions options;
    change(options);
    expect_error(ExitCode::kUsage, {what}, [&] {
      make_image_source(SourceFolder(folder_.path()), parts_, options);
    });
  };
  refused([](auto& o) { o.encoding = "webp"; }, "--encoding webp");
  refused([](auto& o) { o.encoding = "jpeg", o.image_size = 9; }, "--max-side");
  refused([](auto& o) { o.max_side = 9; }, "--image-size");
  refused([](auto& o) { o.image_size = -1; }, "--image-size -1");
  refused([](auto& o) { o.channels = 2; }, "--channels 2");
  refused([](auto& o) { o.encoding = "jpeg", o.quality = 0; }, "--quality 0");
  refused([](auto& o) { o.quality = 50; }, "--quality is for --encoding jpeg");
  refused([](auto& o) { o.num_threads = -2; }, "--threads -2");
  parts_.table = {};
  expect_error(ExitCode::kBadData, {"no pictures"}, [&] { all(); });
}

}  // namespace
}  // namespace lockstep::data
