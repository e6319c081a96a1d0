// Random bit flips anywhere in a native file: each is an error, or changes nothing that is
// delivered. LOCKSTEP_TEST_FLIPS sets how many (2,000).
#include "data_fixture.h"

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
    const auto pixels = pixels_of(*dataset, i);
    all.append(reinterpret_cast<const char*>(pixels.data()), pixels.size());
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

void flip_bits(bool detection, std::uint64_t seed) {
  const TemporaryFolder folder;
  const auto path = folder / "a.h5";
  write_small(path, 4, detection);
  const std::string sound = read_file(path);
  const std::string expected = delivered(path);
  const char* wanted = std::getenv("LOCKSTEP_TEST_FLIPS");
  const int flips = wanted == nullptr ? 1000 : std::atoi(wanted) / 2;
  PhiloxStream random(seed, 0);
  int refused = 0;
  for (int flip = 0; flip < flips; ++flip) {
    const std::uint64_t bit = random.below(sound.size() * 8);
    put(path, bit / 8, static_cast<char>(sound[bit / 8] ^ (1 << (bit % 8))));
    try {
      ASSERT_EQ(delivered(path), expected) << "silent change by bit " << bit;
    } catch (const Error& error) {
      ++refused;
      ASSERT_EQ(error.code(), ExitCode::kBadData) << bit << ": " << error.what();
      ASSERT_NE(std::string(error.what()).find(path.string()), std::string::npos) << error.what();
    }
    put(path, bit / 8, sound[bit / 8]);
  }
  EXPECT_GT(refused, flips / 4);
}

TEST(Damage, BitFlipsInAClassificationFile) { flip_bits(false, 21); }
TEST(Damage, BitFlipsInADetectionFile) { flip_bits(true, 22); }

}  // namespace
}  // namespace lockstep::data
