// Random bit flips anywhere in a native file: each is an error, or changes nothing that is
// delivered. LOCKSTEP_TEST_FLIPS sets how many in all (1,200).
#include "ragged_fixture.h"

#include <lockstep/base/random.h>

#include <cstdlib>
#include <fstream>

namespace lockstep::data {
namespace {

// Everything that a reader is given, in one text.
std::string delivered(const std::filesystem::path& path) {
  const auto dataset = open_dataset(path, Options{});
  const DatasetInfo& info = dataset->info();
  std::string all = info.task + info.split + info.image_encoding + info.content_digest;
  for (const std::string& name : info.classes) all += name + ",";
  for (const double value : info.image_mean) all += std::to_string(value);
  for (const double value : info.image_std) all += std::to_string(value);
  all += std::to_string(info.height) + "x" + std::to_string(info.width) + "x" +
         std::to_string(info.channels) + (info.native ? "n" : "f");
  for (std::int64_t i = 0; i < info.num_samples; ++i) {
    const auto bytes = stored_of(*dataset, i);
    all.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const ImageSize size = dataset->image_size(i);
    all += std::to_string(size.height) + "x" + std::to_string(size.width);
    all += std::to_string(dataset->label(i)) + "," + std::to_string(dataset->sample_id(i));
    const Boxes boxes = dataset->boxes(i);
    for (const float corner : boxes.corners) all += std::to_string(corner);
    for (const std::int64_t name : boxes.classes) all += std::to_string(name);
  }
  return all;
}

// In place: rewriting the whole file would wait for the disk.
void put(const std::filesystem::path& path, std::uint64_t offset, char byte) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(byte);
}

// `open` is what is opened, `damaged` the file whose bits flip: the same, or one of its files.
void flip_bits(const std::filesystem::path& open,
               const std::filesystem::path& damaged,
               std::uint64_t seed) {
  const std::string sound = read_file(damaged);
  const std::string expected = delivered(open);
  const char* wanted = std::getenv("LOCKSTEP_TEST_FLIPS");
  const int flips = wanted == nullptr ? 150 : std::atoi(wanted) / 8;
  PhiloxStream random(seed, 0);
  int refused = 0;
  for (int flip = 0; flip < flips; ++flip) {
    const std::uint64_t bit = random.below(sound.size() * 8);
    put(damaged, bit / 8, static_cast<char>(sound[bit / 8] ^ (1 << (bit % 8))));
    try {
      ASSERT_EQ(delivered(open), expected) << "silent change by bit " << bit;
    } catch (const Error& error) {
      ++refused;
      ASSERT_EQ(error.code(), ExitCode::kBadData) << bit << ": " << error.what();
      ASSERT_NE(std::string(error.what()).find(damaged.string()), std::string::npos)
          << error.what();
    }
    put(damaged, bit / 8, sound[bit / 8]);
  }
  EXPECT_GT(refused, flips / 4);
}

void flip_bits(const std::filesystem::path& path, std::uint64_t seed) {
  flip_bits(path, path, seed);
}

class Damage : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "a.h5";
};

TEST_F(Damage, BitFlipsInAClassificationFile) {
  write_small(path_, 4);
  flip_bits(path_, 21);
}

TEST_F(Damage, BitFlipsInADetectionFile) {
  write_small(path_, 4, true);
  flip_bits(path_, 22);
}

TEST_F(Damage, BitFlipsInAFileOfDifferingSizes) {
  write_ragged(path_, {.num_samples = 6});
  flip_bits(path_, 23);
}

TEST_F(Damage, BitFlipsInADetectionFileOfDifferingSizes) {
  write_ragged(path_, {.num_samples = 6, .detection = true});
  flip_bits(path_, 24);
}

TEST_F(Damage, BitFlipsInAFileOfJpegImages) {
  write_ragged(path_, {.num_samples = 6, .encoding = "jpeg"});
  flip_bits(path_, 25);
}

TEST_F(Damage, BitFlipsInADeflatedFile) {
  write_small(folder_ / "plain.h5", 4);
  import_samples(
      *open_repack(folder_ / "plain.h5", Options{}, true), {path_, "", false, 0}, {}, {});
  flip_bits(path_, 26);
}

TEST_F(Damage, BitFlipsInOneOfSeveralFiles) {
  write_ragged(folder_ / "a.json", {.num_samples = 8, .encoding = "jpeg"}, 2);
  flip_bits(folder_ / "a.json", folder_ / "a-00001-of-00002.h5", 27);
}

TEST_F(Damage, BitFlipsInAManifest) {
  write_ragged(folder_ / "a.json", {.num_samples = 8}, 2);
  flip_bits(folder_ / "a.json", folder_ / "a.json", 28);
}

}  // namespace
}  // namespace lockstep::data
