// Chunked and filtered storage is read through the library: same bytes, one warning.
#include "pixel_source.h"

#include "data_fixture.h"

#include <thread>

namespace lockstep::data {
namespace {

TEST(PixelSource, EveryStorageGivesTheSameBytes) {
  const TemporaryFolder folder;
  write_foreign(folder / "plain.h5", {});
  const auto plain = open_dataset(folder / "plain.h5", Options{});
  int number = 0;
  for (const bool deflate : {false, true}) {
    for (const bool fletcher : {false, true}) {
      const auto path = folder / (std::to_string(number++) + ".h5");
      write_foreign(path, {.chunked = true, .deflate = deflate, .fletcher = fletcher});
      ::testing::internal::CaptureStderr();
      const auto chunked = open_dataset(path, Options{});
      const std::string warning = ::testing::internal::GetCapturedStderr();
      EXPECT_NE(warning.find("chunked"), std::string::npos) << warning;
      EXPECT_NE(warning.find("h5repack"), std::string::npos) << warning;
      for (std::int64_t i = 0; i < 6; ++i) EXPECT_EQ(pixels_of(*chunked, i), pixels_of(*plain, i));
    }
  }
}

TEST(PixelSource, LibraryReadsFromSeveralThreads) {
  const TemporaryFolder folder;
  write_foreign(folder / "c.h5", {.chunked = true, .deflate = true});
  const auto dataset = open_dataset(folder / "c.h5", Options{});
  const auto expected = pixels_of(*dataset, 5);
  std::vector<std::thread> threads;
  std::vector<int> wrong(3);
  for (std::size_t thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 50; ++i) wrong[thread] += pixels_of(*dataset, 5) == expected ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(3));
}

TEST(PixelSource, DamagedChunkIsAnErrorThatNamesTheSample) {
  const TemporaryFolder folder;
  const auto path = folder / "c.h5";
  write_foreign(path, {.chunked = true, .fletcher = true});
  std::string bytes = read_file(path);
  const std::size_t chunk = bytes.find(std::string("\x02\x03\x04\x05\x06\x07\x08", 7));
  ASSERT_NE(chunk, std::string::npos);
  bytes[chunk + 20 + 2] = '\x7f';
  write_file(path, bytes);
  const auto dataset = open_dataset(path, Options{});
  int errors = 0;
  for (std::int64_t i = 0; i < 6; ++i) {
    try {
      pixels_of(*dataset, i);
    } catch (const Error& error) {
      ++errors;
      EXPECT_EQ(error.code(), ExitCode::kBadData);
      EXPECT_NE(std::string(error.what()).find("sample " + std::to_string(i)), std::string::npos)
          << error.what();
    }
  }
  EXPECT_GE(errors, 1);
}

}  // namespace
}  // namespace lockstep::data
