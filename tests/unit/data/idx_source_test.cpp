// idx files: big-endian headers, plain and gzip, and everything that can be wrong with them.
#include "data_fixture.h"

#include <lockstep/base/process.h>

#include <zlib.h>

namespace lockstep::data {
namespace {

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(static_cast<unsigned char>(value >> shift));
  }
  return bytes;
}

std::string images_file(std::uint32_t count, std::uint32_t height, std::uint32_t width) {
  std::string bytes =
      big_endian(0x803) + big_endian(count) + big_endian(height) + big_endian(width);
  for (std::uint32_t i = 0; i < count * height * width; ++i) bytes += static_cast<char>(i);
  return bytes;
}

std::string labels_file(const std::string& labels) {
  return big_endian(0x801) + big_endian(static_cast<std::uint32_t>(labels.size())) + labels;
}

class IdxSourceTest : public ::testing::Test {
 protected:
  void write(const std::string& images, const std::string& labels) {
    write_file(folder_ / "i", images);
    write_file(folder_ / "l", labels);
  }
  DatasetInfo import(const std::vector<std::string>& classes = {}) {
    const auto source = open_idx(folder_ / "i", folder_ / "l", classes);
    return import_samples(*source, {folder_ / "o.h5", "train", true, 0}, {}, {});
  }
  void refused(std::initializer_list<std::string> fragments,
               const std::vector<std::string>& classes = {}) {
    expect_error(ExitCode::kBadData, fragments, [&] { import(classes); });
    EXPECT_EQ(folder_.names(), (std::vector<std::string>{"i", "l"}));
  }
  TemporaryFolder folder_;
  const std::string labels_{std::string("\x02\x00\x01", 3)};
};

TEST_F(IdxSourceTest, PlainFilesBecomeADataSet) {
  write(images_file(3, 2, 5), labels_file(labels_));
  const DatasetInfo info = import();
  EXPECT_EQ(info.num_samples, 3);
  EXPECT_EQ(info.height, 2);
  EXPECT_EQ(info.width, 5);
  EXPECT_EQ(info.classes, (std::vector<std::string>{"0", "1", "2"}));
  const auto dataset = open_dataset(folder_ / "o.h5", Options{});
  EXPECT_EQ(dataset->label(0), 2);
  EXPECT_EQ(dataset->label(2), 1);
  EXPECT_EQ(pixels_of(*dataset, 1)[0], std::byte{10});
}

TEST_F(IdxSourceTest, GzipFilesGiveTheSameDigest) {
  write(images_file(3, 2, 5), labels_file(labels_));
  const std::string plain = import().content_digest;
  for (const char* name : {"i", "l"}) {
    const std::string bytes = read_file(folder_ / name);
    gzFile file = gzopen((folder_ / name).c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
  }
  EXPECT_EQ(import().content_digest, plain);
}

TEST_F(IdxSourceTest, ClassNamesAreKept) {
  write(images_file(3, 2, 5), labels_file(labels_));
  EXPECT_EQ(import({"a", "b", "c", "d"}).classes.size(), 4U);
  std::filesystem::remove(folder_ / "o.h5");
  refused({(folder_ / "l").string(), "sample 0 has label 2", "names 2"}, {"a", "b"});
}

TEST_F(IdxSourceTest, WrongMagicSaysWhichFile) {
  write(labels_file(labels_), images_file(3, 2, 5));
  refused({(folder_ / "i").string(), "0x00000801", "right order"});
  write(images_file(3, 2, 5), images_file(3, 2, 5));
  refused({(folder_ / "l").string(), "0x00000803"});
  write(std::string("\0\0\x0d\x03", 4) + images_file(3, 2, 5).substr(4), labels_file(labels_));
  refused({(folder_ / "i").string(), "magic"});
}

TEST_F(IdxSourceTest, CountsMustMatch) {
  write(images_file(4, 2, 5), labels_file(labels_));
  refused({"has 3 labels", "has 4 images"});
}

TEST_F(IdxSourceTest, LengthsMustBeThoseOfTheHeader) {
  write(images_file(3, 2, 5) + "x", labels_file(labels_));
  refused({(folder_ / "i").string(), "more bytes"});
  const std::string images = images_file(3, 2, 5);
  write(images.substr(0, images.size() - 1), labels_file(labels_));
  refused({(folder_ / "i").string(), "too early"});
  write(images, labels_file(labels_) + "x");
  refused({(folder_ / "l").string(), "more bytes"});
  write("", labels_file(labels_));
  refused({(folder_ / "i").string(), "too early"});
}

TEST_F(IdxSourceTest, ImpossibleSizesAreRefused) {
  write(images_file(0, 2, 5), labels_file(""));
  refused({(folder_ / "i").string(), "0 images"});
  write(big_endian(0x803) + big_endian(3) + big_endian(0xFFFFFFFF) + big_endian(0xFFFFFFFF),
        labels_file(labels_));
  refused({(folder_ / "i").string(), "4294967295"});
}

// Headers alone that announce gigabytes.
TEST_F(IdxSourceTest, MemoryIsForWhatIsThere) {
  const std::int64_t before = peak_resident_bytes();
  write(big_endian(0x803) + big_endian(UINT32_MAX) + big_endian(1) + big_endian(1),
        big_endian(0x801) + big_endian(UINT32_MAX));
  refused({});
  EXPECT_LE(peak_resident_bytes() - before, std::int64_t{64} << 20);
  write(big_endian(0x804) + big_endian(1) + big_endian(65536) + big_endian(65536) + big_endian(3),
        labels_file("a"));
  refused({"cannot be a data set"});
}

TEST_F(IdxSourceTest, TruncatedGzipLeavesNothingBehind) {
  write(images_file(3, 20, 50), labels_file(labels_));
  const std::string bytes = read_file(folder_ / "i");
  gzFile file = gzopen((folder_ / "i").c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  const std::string packed = read_file(folder_ / "i");
  for (const std::size_t size : {packed.size() / 2, packed.size() - 4}) {
    write_file(folder_ / "i", packed.substr(0, size));
    refused({(folder_ / "i").string(), "gzip"});
  }
}

}  // namespace
}  // namespace lockstep::data
