// Folders of classes become a data set.
#include "data_fixture.h"
#include "image_fixture.h"

#include <lockstep/base/hash.h>
#include <lockstep/data/import_images.h>

#include <sys/stat.h>

namespace lockstep::data {
namespace {

class ImageFolderTest : public ::testing::Test {
 protected:
  void add(const std::string& name, const Bytes& file) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    write_file(folder_ / name, text_of(file));
  }
  void fill() {
    add("cat/2.PNG", make_png(make_picture({20, 30}, 3, 1)));
    add("cat/10.png", make_png(make_picture({40, 20}, 1, 2)));
    add("ant/deep/er/x.jpeg", make_jpeg(make_picture({64, 64}, 3, 3)));
    add("bee/y.jpg", make_jpeg(make_picture({64, 80}, 3, 4)));
  }
  DatasetInfo import() {
    options_.image_size = 16;
    const auto source = open_image_folder(folder_.path(), options_);
    const DatasetInfo info = import_samples(*source, {target_ / "o.h5", "", true}, {}, {});
    summary_ = source->summary();
    return info;
  }

  TemporaryFolder folder_;
  TemporaryFolder target_;
  ImageImportOptions options_;
  std::vector<std::string> summary_;
};

TEST_F(ImageFolderTest, ClassesAreSortedFolders) {
  fill();
  const DatasetInfo info = import();
  EXPECT_EQ(info.classes, (std::vector<std::string>{"ant", "bee", "cat"}));
  EXPECT_EQ(info.num_samples, 4);
  EXPECT_EQ(info.height, 16);
  const auto dataset = open_dataset(target_ / "o.h5", {});
  EXPECT_EQ(dataset->label(0), 0);
  EXPECT_EQ(dataset->label(1), 1);
  EXPECT_EQ(dataset->label(3), 2);
  EXPECT_EQ(dataset->sample_id(3), 3);
  const Image expected = resized(make_picture({20, 30}, 3, 1), {5, 0, 25, 20}, {16, 16});
  const auto stored = pixels_of(*dataset, 3);
  EXPECT_TRUE(std::equal(stored.begin(), stored.end(), bytes_of(expected.pixels).begin()));
}

TEST_F(ImageFolderTest, TheRestIsLeftOutAndSaid) {
  fill();
  add("readme.txt", Bytes(3));
  add("cat/notes.txt", Bytes(3));
  add("cat/.hidden.png", Bytes(3));
  std::filesystem::create_directories(folder_ / "dog");
  EXPECT_EQ(import().num_samples, 4);
  EXPECT_EQ(
      summary_,
      (std::vector<std::string>{"1 files that are not named .jpg, .jpeg or .png: cat/notes.txt",
                                "1 folders without pictures: dog",
                                "1 files outside of the folders of classes: readme.txt"}));
}

TEST_F(ImageFolderTest, LinksAndPipesAreErrors) {
  fill();
  const TemporaryFolder outside;
  write_file(outside / "s.png", text_of(make_png(make_picture({20, 20}, 3))));
  std::filesystem::create_symlink(outside / "s.png", folder_ / "cat/3.png");
  expect_error(ExitCode::kBadData, {"cat/3.png", "link"}, [&] { import(); });
  std::filesystem::remove(folder_ / "cat/3.png");
  mkfifo((folder_ / "cat/3.png").c_str(), 0600);
  expect_error(ExitCode::kBadData, {"cat/3.png", "regular"}, [&] { import(); });
  options_.on_broken = BrokenImages::kSkip;
  EXPECT_EQ(import().num_samples, 4);
  std::filesystem::create_symlink(outside.path(), folder_ / "linked");
  expect_error(ExitCode::kBadData, {"linked", "link"}, [&] { import(); });
}

TEST_F(ImageFolderTest, WhatIsNoDataSet) {
  expect_error(ExitCode::kBadData, {"no folder"}, [&] { import(); });
  std::filesystem::create_directories(folder_ / "cat");
  expect_error(ExitCode::kBadData, {"no pictures"}, [&] { import(); });
  add("c\xFF/1.png", Bytes(3));
  expect_error(ExitCode::kBadData, {"c\\xff", "UTF-8"}, [&] { import(); });
  expect_error(ExitCode::kIo, {"missing"}, [&] { open_image_folder(folder_ / "missing", {}); });
}

}  // namespace
}  // namespace lockstep::data
