// Foreign files get the stated defaults; whatever does not fit together is refused by name.
#include "file_tables.h"

#include "ragged_fixture.h"

namespace lockstep::data {
namespace {

class FileTablesTest : public ::testing::Test {
 protected:
  void refuse_foreign(const ForeignOptions& options,
                      std::initializer_list<std::string> fragments,
                      ExitCode code = ExitCode::kBadData) {
    write_foreign(path_, options);
    expect_error(code, fragments, [this] { open_dataset(path_, options_); });
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "f.h5";
  Options options_;
};

TEST_F(FileTablesTest, PlainForeignFileJustWorks) {
  write_foreign(path_, {});
  const auto dataset = open_dataset(path_, options_);
  const DatasetInfo& info = dataset->info();
  EXPECT_FALSE(info.native);
  EXPECT_FALSE(info.has_checksums);
  EXPECT_EQ(info.num_samples, 6);
  EXPECT_EQ(info.height, 4);
  EXPECT_EQ(info.width, 5);
  EXPECT_EQ(info.channels, 1);
  EXPECT_EQ(info.classes, (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_EQ(info.image_mean, std::vector<double>{0.5});
  EXPECT_EQ(info.image_std, std::vector<double>{0.5});
  EXPECT_EQ(dataset->label(4), 1);
  EXPECT_EQ(dataset->sample_id(4), 4);
  EXPECT_EQ(pixels_of(*dataset, 4)[3], std::byte{7});
}

TEST_F(FileTablesTest, ForeignKeysAndAttributesAreUsed) {
  ForeignOptions foreign;
  foreign.shape = {6, 4, 5, 3};
  foreign.image_key = "train/x";
  write_foreign(path_, foreign);
  set_attribute(path_, "classes", std::string(R"(["a","b","c","d"])"), false);
  set_attribute(path_, "image_mean", std::vector<double>{0.1, 0.2, 0.3}, false);
  options_.image_key = "train/x";
  const auto dataset = open_dataset(path_, options_);
  EXPECT_EQ(dataset->info().channels, 3);
  EXPECT_EQ(dataset->info().classes.size(), 4U);
  EXPECT_EQ(dataset->info().image_mean[2], 0.3);
  EXPECT_EQ(dataset->info().image_std[2], 0.5);
}

TEST_F(FileTablesTest, WrongTypesAndShapesAreRefused) {
  refuse_foreign({.image_type = H5T_STD_U16LE}, {"\"images\"", "u16", "u8"});
  refuse_foreign({.image_type = H5T_IEEE_F32LE}, {"\"images\"", "f32"});
  refuse_foreign({.image_type = H5T_STD_I8LE}, {"\"images\"", "i8"});
  refuse_foreign({.shape = {6, 20}}, {"\"images\"", "(6, 20)", "(N, H, W)"});
  refuse_foreign({.shape = {6, 4, 5, 2}}, {"\"images\"", "(6, 4, 5, 2)", "1 or 3"});
  refuse_foreign({.shape = {2, 2, 2, 3, 1}}, {"\"images\"", "(2, 2, 2, 3, 1)"});
  refuse_foreign({.shape = {1, 1, 70000}}, {"\"images\"", "70000"});
  refuse_foreign({.float_labels = true}, {"\"label\"", "f32", "whole numbers"});
}

TEST_F(FileTablesTest, CountsAndLabelsAreChecked) {
  refuse_foreign({.num_labels = 5}, {"\"label\"", "has 5 entries, expected 6"});
  refuse_foreign({.label_offset = -1}, {"\"label\"", "label -1 at sample 0"});
  refuse_foreign({.label_offset = 1 << 21}, {"\"label\"", "sample 2"});
  write_foreign(path_, {});
  set_attribute(path_, "classes", std::string(R"(["a","b"])"), false);
  expect_error(ExitCode::kBadData, {path_.string(), "label 2 at sample 2", "2 classes"}, [this] {
    open_dataset(path_, options_);
  });
}

TEST_F(FileTablesTest, NativeLabelOutsideTheClassesNamesTheSample) {
  write_small(path_, 8);
  set_element(path_, "label", 5, 3);
  expect_error(ExitCode::kBadData,
               {path_.string(), "\"label\"", "label 3 at sample 5", "3 classes"},
               [this] { open_dataset(path_, options_); });
}

TEST_F(FileTablesTest, NativeCountsMustAgree) {
  write_small(path_, 8);
  set_attribute(path_, "num_samples", std::int64_t{9});
  expect_error(ExitCode::kBadData, {path_.string(), "8 samples", "num_samples says 9"}, [this] {
    open_dataset(path_, options_);
  });
}

TEST_F(FileTablesTest, ImageOfNoChannelMeanIsRefused) {
  write_small(path_, 8);
  set_attribute(path_, "image_std", std::vector<double>{0.0});
  expect_error(
      ExitCode::kBadData, {path_.string(), "image_std"}, [this] { open_dataset(path_, options_); });
}

TEST_F(FileTablesTest, TableThatDoesNotMatchItsChecksumIsRefused) {
  for (const char* key : {"label", "sample_id", "sample_crc32c", "image_offset", "image_size"}) {
    std::filesystem::remove(path_);
    write_ragged(path_, {.num_samples = 8});
    std::string bytes = read_file(path_);
    const auto dataset = open_file_dataset(path_, options_);
    for (const ArrayInfo& array : dataset->tables().arrays) {
      if (array.key == key)
        bytes[array.offset_bytes + 1] = static_cast<char>(~bytes[array.offset_bytes + 1]);
    }
    write_file(path_, bytes);
    expect_error(ExitCode::kBadData, {path_.string(), key, "CRC-32C"}, [this] {
      open_dataset(path_, options_);
    });
  }
}

TEST_F(FileTablesTest, IdsInOrderAreKnownByTheirChecksum) {
  write_small(path_, 5000);
  const auto dataset = open_file_dataset(path_, options_);
  EXPECT_TRUE(dataset->tables().sample_ids.empty());
  EXPECT_EQ(dataset->sample_id(4999), 4999);
  EXPECT_TRUE(verify_dataset(path_, options_, {}).good());
  // Damage there changes nothing that is delivered, and verification finds it.
  std::string bytes = read_file(path_);
  for (const ArrayInfo& array : dataset->tables().arrays) {
    if (array.key == kSampleId) bytes[array.offset_bytes + 8] ^= 1;
  }
  write_file(path_, bytes);
  EXPECT_EQ(open_dataset(path_, options_)->sample_id(1), 1);
  EXPECT_FALSE(verify_dataset(path_, options_, {}).good());
  // Other ids are read.
  std::filesystem::remove(path_);
  write_ragged(path_, {.num_samples = 8});
  EXPECT_EQ(open_file_dataset(path_, options_)->tables().sample_ids.size(), 8U);
}

TEST_F(FileTablesTest, BoxTablesMustFitTogether) {
  write_small(path_, 8, true);
  set_element(path_, "box_class", 2, 3);
  expect_error(ExitCode::kBadData, {"\"box_class\"", "label 3 at box 2"}, [this] {
    open_dataset(path_, options_);
  });
  std::filesystem::remove(path_);
  write_small(path_, 8, true);
  set_element(path_, "box_offset", 3, 1000000);
  expect_error(
      ExitCode::kBadData, {"\"box_offset\"", "rise"}, [this] { open_dataset(path_, options_); });
}

}  // namespace
}  // namespace lockstep::data
