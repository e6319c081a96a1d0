// CIFAR's binary files, made here record by record.
#include "data_fixture.h"

#include <lockstep/data/import_images.h>

#include <sys/stat.h>

namespace lockstep::data {
namespace {

// A record: labels, then planes of red = first, green = first + 1, blue = first + 2, except that
// red of pixel (1, 0) is 200.
std::string record(const std::string& labels, char first) {
  std::string text = labels;
  for (char c = 0; c < 3; ++c) text += std::string(1024, static_cast<char>(first + c));
  text[labels.size() + 32] = static_cast<char>(200);
  return text;
}

class CifarTest : public ::testing::Test {
 protected:
  void fill_ten() {
    for (int i = 1; i <= 5; ++i) {
      write_file(folder_ / ("data_batch_" + std::to_string(i) + ".bin"),
                 record({static_cast<char>(i)}, 10) + record({9}, static_cast<char>(20 + i)));
    }
    write_file(folder_ / "test_batch.bin", record({0}, 5));
    write_file(folder_ / "batches.meta.txt",
               "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n");
  }
  void fill_hundred() {
    write_file(folder_ / "train.bin", record({19, 99}, 1) + record({0, 1}, 2));
    write_file(folder_ / "test.bin", record({1, 2}, 3));
  }
  std::unique_ptr<SampleSource> open(const CifarOptions& options = {}) {
    return open_cifar({folder_.path()}, options);
  }
  void refused(ExitCode code,
               std::initializer_list<std::string> fragments,
               const CifarOptions& options = {}) {
    expect_error(code, fragments, [&] {
      const auto source = open(options);
      while (source->next()) continue;
    });
  }

  TemporaryFolder folder_;
};

TEST_F(CifarTest, TenFromTheFolder) {
  fill_ten();
  const auto source = open();
  EXPECT_EQ(source->shape().num_samples, 10);
  EXPECT_EQ(source->shape().split, "train");
  EXPECT_EQ(source->shape().classes[9], "truck");
  source->next();
  source->next();
  const Sample sample = source->next().value();
  EXPECT_EQ(sample.label, 2);
  EXPECT_EQ(sample.sample_id, 2);
  EXPECT_EQ(sample.size, (ImageSize{32, 32}));
  ASSERT_EQ(sample.bytes.size(), 3072U);
  EXPECT_EQ(sample.bytes[0], std::byte{10});
  EXPECT_EQ(sample.bytes[2], std::byte{12});
  EXPECT_EQ(sample.bytes[32 * 3], std::byte{200});
  CifarOptions test;
  test.split = "test";
  EXPECT_EQ(open(test)->shape().num_samples, 1);
}

TEST_F(CifarTest, HundredFineAndCoarse) {
  fill_hundred();
  auto source = open();
  EXPECT_EQ(source->shape().classes.size(), 100U);
  EXPECT_EQ(source->next().value().label, 99);
  CifarOptions options;
  options.coarse = true;
  source = open(options);
  EXPECT_EQ(source->shape().classes.size(), 20U);
  EXPECT_EQ(source->next().value().label, 19);
}

TEST_F(CifarTest, FilesInTheirOrder) {
  fill_ten();
  const auto source = open_cifar({folder_ / "data_batch_3.bin", folder_ / "test_batch.bin"}, {});
  EXPECT_EQ(source->shape().num_samples, 3);
  EXPECT_EQ(source->shape().classes[0], "airplane");
  EXPECT_EQ(source->next().value().label, 3);
  source->next();
  EXPECT_EQ(source->next().value().label, 0);
  EXPECT_FALSE(source->next().has_value());
}

TEST_F(CifarTest, EndToEnd) {
  fill_ten();
  const DatasetInfo info = import_samples(*open(), {folder_ / "o.h5", "", false}, {}, {});
  EXPECT_EQ(info.num_samples, 10);
  EXPECT_EQ(info.split, "train");
  EXPECT_EQ(open_dataset(folder_ / "o.h5", {})->label(4), 3);
}

TEST_F(CifarTest, WhatIsWrongIsSaid) {
  refused(ExitCode::kUsage, {"holds neither data_batch_1.bin nor train.bin"});
  fill_ten();
  write_file(folder_ / "data_batch_4.bin", record({1}, 1) + "x");
  refused(ExitCode::kBadData, {"data_batch_4.bin", "3074 bytes", "3073"});
  write_file(folder_ / "data_batch_4.bin", "");
  refused(ExitCode::kBadData, {"data_batch_4.bin", "0 bytes"});
  write_file(folder_ / "data_batch_4.bin", record({3}, 1) + record({10}, 1));
  refused(ExitCode::kBadData, {"data_batch_4.bin", "record 1 has label 10"});
  std::filesystem::remove(folder_ / "data_batch_4.bin");
  refused(ExitCode::kBadData, {"data_batch_4.bin", "no such file"});
  mkfifo((folder_ / "data_batch_4.bin").c_str(), 0600);
  refused(ExitCode::kBadData, {"data_batch_4.bin", "regular"});
}

TEST_F(CifarTest, OptionsThatDoNotFit) {
  fill_ten();
  CifarOptions options;
  options.split = "val";
  refused(ExitCode::kUsage, {"--split val"}, options);
  options = {};
  options.coarse = true;
  refused(ExitCode::kUsage, {"--coarse"}, options);
  options = {};
  options.num_classes = 50;
  refused(ExitCode::kUsage, {"--num-classes 50"}, options);
  options = {};
  options.classes = {"a", "b"};
  refused(ExitCode::kBadData, {"2 names", "10 labels"}, options);
}

}  // namespace
}  // namespace lockstep::data
