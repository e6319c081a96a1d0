// A folder in the form of Pascal VOC becomes a data set; the excerpt of BCCD is real.
#include "data_fixture.h"
#include "image_fixture.h"

#include <lockstep/data/import_images.h>

#include <cstdlib>
#include <map>

namespace lockstep::data {
namespace {

TEST(VocSource, TheExcerptOfBccdIsKnown) {
  const char* source_folder = std::getenv("LOCKSTEP_SOURCE");
  if (source_folder == nullptr) GTEST_SKIP() << "LOCKSTEP_SOURCE is not set";
  const std::filesystem::path folder = std::filesystem::path(source_folder) / "datasets/bccd";
  const auto source = open_voc(folder, "", {}, {});
  EXPECT_EQ(source->shape().classes, (std::vector<std::string>{"Platelets", "RBC", "WBC"}));
  std::map<std::int64_t, int> counts;
  std::int64_t num_samples = 0;
  while (const auto sample = source->next()) {
    EXPECT_EQ(sample->size, (ImageSize{480, 640}));
    EXPECT_EQ(sample->bytes.size(), 480U * 640U * 3U);
    EXPECT_EQ(sample->sample_id, num_samples++);
    for (const std::int64_t name : sample->boxes.classes) ++counts[name];
  }
  EXPECT_EQ(num_samples, 6);
  EXPECT_EQ(counts, (std::map<std::int64_t, int>{{0, 5}, {1, 23}, {2, 5}}));
  EXPECT_EQ(
      source->summary(),
      (std::vector<std::string>{"2 boxes of no area: BloodImage_00338.xml, BloodImage_00343.xml"}));
  EXPECT_EQ(open_voc(folder, "train", {}, {})->shape().num_samples, 2);
  EXPECT_EQ(open_voc(folder, "val", {}, {})->shape().num_samples, 3);
  EXPECT_EQ(open_voc(folder, "test", {}, {})->shape().classes.size(), 3U);
}

class VocTest : public ::testing::Test {
 protected:
  VocTest() {
    for (const char* name : {"Annotations", "JPEGImages", "ImageSets/Main"}) {
      std::filesystem::create_directories(folder_ / name);
    }
    add("a", "cat", {1, 1, 10, 20});
    add("b", "dog", {3, 4, 8, 9});
    write_file(folder_ / "ImageSets/Main/train.txt", "b  1\r\n\na -1\n");
  }
  void add(const std::string& name, const std::string& object, std::array<int, 4> box) {
    write_file(folder_ / ("JPEGImages/" + name + ".jpg"),
               text_of(make_jpeg(make_picture({30, 40}, 3))));
    const auto tag = [](const std::string& key, int value) {
      return "<" + key + ">" + std::to_string(value) + "</" + key + ">";
    };
    write_file(folder_ / ("Annotations/" + name + ".xml"),
               "<annotation><size>" + tag("width", 40) + tag("height", 30) +
                   "</size><object><name>" + object + "</name><bndbox>" + tag("xmin", box[0]) +
                   tag("ymin", box[1]) + tag("xmax", box[2]) + tag("ymax", box[3]) +
                   "</bndbox></object></annotation>");
  }
  std::unique_ptr<SampleSource> open(const std::string& split = "",
                                     const std::vector<std::string>& classes = {}) {
    return open_voc(folder_.path(), split, classes, options_);
  }

  TemporaryFolder folder_;
  ImageImportOptions options_;
};

TEST_F(VocTest, InclusiveCornersBecomeExclusive) {
  const auto source = open();
  const Sample sample = source->next().value();
  EXPECT_EQ(std::vector<float>(sample.boxes.corners.begin(), sample.boxes.corners.end()),
            (std::vector<float>{0, 0, 10, 20}));
  EXPECT_FLOAT_EQ(sample.boxes.areas[0], 200);
  EXPECT_EQ(sample.boxes.crowd[0], 0);
}

TEST_F(VocTest, SplitsKeepTheirOrderAndAllClasses) {
  add("c", "ant", {1, 1, 2, 2});
  const auto source = open("train");
  EXPECT_EQ(source->shape().classes, (std::vector<std::string>{"ant", "cat", "dog"}));
  EXPECT_EQ(source->shape().split, "train");
  EXPECT_EQ(source->next().value().boxes.classes[0], 2);
  EXPECT_EQ(source->next().value().boxes.classes[0], 1);
  EXPECT_FALSE(source->next().has_value());
}

TEST_F(VocTest, NamedClassesRule) {
  const auto source = open("", {"dog"});
  EXPECT_EQ(source->next().value().boxes.classes.size(), 0U);
  EXPECT_EQ(source->next().value().boxes.classes[0], 0);
  EXPECT_EQ(source->summary(),
            (std::vector<std::string>{"1 boxes of \"cat\", which --classes does not name: a"}));
}

TEST_F(VocTest, BrokenAnnotationsFollowThePolicy) {
  write_file(folder_ / "Annotations/a.xml", "<annotation>");
  expect_error(ExitCode::kBadData, {"Annotations/a.xml", "byte"}, [&] { open(); });
  options_.on_broken = BrokenImages::kSkip;
  const auto source = open();
  EXPECT_EQ(source->shape().num_samples, 1);
  EXPECT_EQ(source->summary(),
            (std::vector<std::string>{"1 pictures with a broken annotation: Annotations/a.xml"}));
}

TEST_F(VocTest, HostileNamesInSplits) {
  for (const char* name : {"../a", "/etc/passwd", "missing", "Annotations/../../a"}) {
    write_file(folder_ / "ImageSets/Main/train.txt", name);
    expect_error(ExitCode::kBadData, {}, [&] { open("train"); });
  }
  write_file(folder_ / "ImageSets/Main/train.txt", "a\na\n");
  expect_error(ExitCode::kBadData, {"a is there twice"}, [&] { open("train"); });
  expect_error(ExitCode::kBadData, {"no such file"}, [&] { open("test"); });
  expect_error(ExitCode::kBadData, {"\"..\""}, [&] { open("../../x"); });
}

TEST_F(VocTest, PicturesMustBeThere) {
  std::filesystem::remove(folder_ / "JPEGImages/a.jpg");
  expect_error(ExitCode::kBadData, {"JPEGImages/a.jpg", "no such file"}, [&] { open()->next(); });
  write_file(folder_ / "JPEGImages/a.png", text_of(make_png(make_picture({30, 40}, 3))));
  EXPECT_EQ(open()->next().value().size, (ImageSize{30, 40}));
  write_file(folder_ / "JPEGImages/a.png", text_of(make_png(make_picture({31, 40}, 3))));
  expect_error(ExitCode::kBadData, {"a.png", "31 x 40", "30 x 40"}, [&] { open()->next(); });
}

}  // namespace
}  // namespace lockstep::data
