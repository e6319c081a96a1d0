// COCO's annotations and pictures, put together.
#include "data_fixture.h"
#include "image_fixture.h"

#include <lockstep/data/import_images.h>

namespace lockstep::data {
namespace {

class CocoTest : public ::testing::Test {
 protected:
  CocoTest() {
    std::filesystem::create_directories(folder_ / "pictures/sub");
    add_picture("a.png", {40, 60});
    add_picture("sub/b.png", {50, 50});
  }
  void add_picture(const std::string& name, ImageSize size) {
    write_file(folder_ / ("pictures/" + name), text_of(make_png(make_picture(size, 3))));
  }
  std::unique_ptr<SampleSource> open(const std::string& images,
                                     const std::string& boxes,
                                     const std::string& categories) {
    write_file(folder_ / "c.json",
               R"({"images": [)" + images + R"(], "annotations": [)" + boxes +
                   R"(], "categories": [)" + categories + "]}");
    options_.num_threads = 2;
    return open_coco(folder_ / "c.json", folder_ / "pictures", options_);
  }
  void refused(const std::string& boxes, std::initializer_list<std::string> fragments) {
    expect_error(ExitCode::kBadData, fragments, [&] { open(images_, boxes, categories_); });
  }
  void refused_name(const std::string& name, const std::string& fragment) {
    expect_error(ExitCode::kBadData, {fragment}, [&] {
      open(R"({"id": 1, "file_name": ")" + name + "\"}", "", categories_)->next();
    });
  }

  TemporaryFolder folder_;
  ImageImportOptions options_;
  const std::string images_ =
      R"({"id": 70, "file_name": "sub/b.png", "width": 50, "height": 50},
         {"id": 5, "file_name": "a.png"})";
  const std::string categories_ = R"({"id": 90, "name": "dog"}, {"id": 2, "name": "cat"})";
};

TEST_F(CocoTest, SamplesAreImagesInTheOrderOfTheFile) {
  const auto source = open(images_,
                           R"({"image_id": 5, "category_id": 90, "bbox": [10, 5, 20, 10]},
                              {"image_id": 70, "category_id": 2, "bbox": [0.5, 1, 2, 3], "area": 4,
                               "iscrowd": 1},
                              {"image_id": 5, "category_id": 2, "bbox": [50, 30, 20, 20]})",
                           categories_);
  const WriterOptions shape = source->shape();
  EXPECT_EQ(shape.task, "detection");
  EXPECT_EQ(shape.classes, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(shape.num_samples, 2);
  EXPECT_EQ(shape.num_boxes, 3);
  Sample sample = source->next().value();
  EXPECT_EQ(sample.sample_id, 70);
  EXPECT_EQ(sample.size, (ImageSize{50, 50}));
  ASSERT_EQ(sample.boxes.classes.size(), 1U);
  EXPECT_EQ(sample.boxes.classes[0], 0);
  EXPECT_FLOAT_EQ(sample.boxes.corners[2], 2.5F);
  EXPECT_FLOAT_EQ(sample.boxes.areas[0], 4);
  EXPECT_EQ(sample.boxes.crowd[0], 1);
  sample = source->next().value();
  EXPECT_EQ(sample.sample_id, 5);
  ASSERT_EQ(sample.boxes.classes.size(), 2U);
  EXPECT_EQ(sample.boxes.classes[0], 1);
  EXPECT_FLOAT_EQ(sample.boxes.areas[0], 200);
  // The second reaches past the picture.
  EXPECT_FLOAT_EQ(sample.boxes.corners[6], 60);
  EXPECT_FLOAT_EQ(sample.boxes.corners[7], 40);
  EXPECT_FALSE(source->next().has_value());
}

TEST_F(CocoTest, BoxesOfNoAreaAreLeftOutAndSaid) {
  const auto source = open(images_,
                           R"({"image_id": 5, "category_id": 90, "bbox": [10, 5, 0, 10]},
                              {"image_id": 5, "category_id": 90, "bbox": [80, 5, 5, 10]},
                              {"image_id": 5, "category_id": 90, "bbox": [1, 5, 5, 10]})",
                           categories_);
  source->next();
  EXPECT_EQ(source->next().value().boxes.classes.size(), 1U);
  EXPECT_FALSE(source->next().has_value());
  EXPECT_EQ(source->summary(),
            (std::vector<std::string>{"1 boxes of no area: a.png",
                                      "1 boxes outside of their picture: a.png"}));
}

TEST_F(CocoTest, IdsMustFitTogether) {
  refused(R"({"image_id": 6, "category_id": 2, "bbox": [0, 0, 1, 1]})",
          {"annotations[0]: \"image_id\" 6 is not in images"});
  refused(R"({"image_id": 5, "category_id": 3, "bbox": [0, 0, 1, 1]})",
          {"annotations[0]: \"category_id\" 3 is not in categories"});
  refused(R"({"id": 8, "image_id": 5, "category_id": 2, "bbox": [0, 0, 1, 1]},
             {"id": 8, "image_id": 5, "category_id": 2, "bbox": [0, 0, 1, 1]})",
          {"annotations[1]: id 8 is already that of annotations[0]"});
  expect_error(ExitCode::kBadData, {"images[1]: id 1 is already that of images[0]"}, [&] {
    open(R"({"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"})", "", categories_);
  });
  expect_error(ExitCode::kBadData, {"categories[1]: id 1 is already"}, [&] {
    open(images_, "", R"({"id": 1, "name": "a"}, {"id": 1, "name": "b"})");
  });
  expect_error(ExitCode::kBadData, {"categories[0]: the name \"a\" is already given"}, [&] {
    open(images_, "", R"({"id": 2, "name": "a"}, {"id": 1, "name": "a"})");
  });
}

TEST_F(CocoTest, NamesStayBelowTheFolder) {
  write_file(folder_ / "secret.png", text_of(make_png(make_picture({8, 8}, 3))));
  std::filesystem::create_symlink(folder_ / "secret.png", folder_ / "pictures/link.png");
  refused_name("../secret.png", "\"..\"");
  refused_name((folder_ / "secret.png").string(), "absolute");
  refused_name("sub/../../secret.png", "\"..\"");
  refused_name("link.png", "link");
  refused_name("a.png\\u0000.jpg", "zero byte");
  refused_name("missing.png", "no such file");
  refused_name("sub", "not a regular file");
}

TEST_F(CocoTest, SizesMustBeThoseOfThePicture) {
  expect_error(ExitCode::kBadData, {"a.png", "40 x 60", "41 x 60"}, [&] {
    open(R"({"id": 1, "file_name": "a.png", "height": 41, "width": 60})", "", categories_)->next();
  });
}

TEST_F(CocoTest, FilesThatAreNotThere) {
  expect_error(ExitCode::kIo, {"no.json"}, [&] {
    open_coco(folder_ / "no.json", folder_ / "pictures", {});
  });
  open(images_, "", categories_);
  expect_error(
      ExitCode::kIo, {"nowhere"}, [&] { open_coco(folder_ / "c.json", folder_ / "nowhere", {}); });
}

}  // namespace
}  // namespace lockstep::data
