// Every storage gives the same bytes; what only the library reads, it reads, with one warning.
#include "library_source.h"

#include "foreign_fixture.h"

#include <thread>

namespace lockstep::data {
namespace {

TEST(LibrarySource, EveryStorageGivesTheSameBytesWithoutAWarning) {
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
      EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
      for (std::int64_t i = 0; i < 6; ++i) EXPECT_EQ(pixels_of(*chunked, i), pixels_of(*plain, i));
    }
  }
}

// Images of a file, stored anew with a filter that only the library undoes.
void pack_images(const std::filesystem::path& path,
                 const std::vector<hsize_t>& shape,
                 const std::vector<hsize_t>& chunk,
                 const std::vector<std::byte>& bytes) {
  edit(path, [&](hid_t file) {
    H5Ldelete(file, "images", H5P_DEFAULT);
    const Hid space(H5Screate_simple(3, shape.data(), nullptr), H5Sclose);
    const Hid creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_chunk(creation.get(), 3, chunk.data());
    H5Pset_scaleoffset(creation.get(), H5Z_SO_INT, 0);
    const Hid images(
        H5Dcreate2(
            file, "images", H5T_STD_U8LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
        H5Dclose);
    H5Dwrite(images.get(), H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data());
  });
}

// One seed, one order: whether a chunk's samples go together does not depend on who reads.
TEST(LibrarySource, TheLibraryCountsSamplesOfAChunkAlike) {
  const TemporaryFolder folder;
  Options naive;
  naive.reader = "naive";
  for (const bool deflate : {false, true}) {
    const auto path = folder / (deflate ? "d.h5" : "p.h5");
    write_foreign(path, {.chunked = true, .deflate = deflate});
    const std::int64_t ours = open_dataset(path, Options{})->samples_per_chunk();
    EXPECT_EQ(open_dataset(path, naive)->samples_per_chunk(), ours);
    EXPECT_EQ(ours > 1, deflate);
  }
}

// Filters that are not undone here: the library reads, and a warning says so.
TEST(LibrarySource, OtherFiltersAreReadByTheLibrary) {
  const TemporaryFolder folder;
  const auto path = folder / "n.h5";
  write_foreign(path, {});
  const auto plain = library_bytes(path);
  pack_images(path, {6, 4, 5}, {2, 4, 5}, plain);
  ::testing::internal::CaptureStderr();
  const auto dataset = open_dataset(path, Options{});
  const std::string warning = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(warning.find("scaleoffset"), std::string::npos) << warning;
  EXPECT_NE(warning.find("prepare repack"), std::string::npos) << warning;
  EXPECT_EQ(dataset->samples_per_chunk(), 2);
  for (std::int64_t i = 0; i < 6; ++i) {
    const auto pixels = pixels_of(*dataset, i);
    EXPECT_TRUE(std::equal(pixels.begin(), pixels.end(), plain.begin() + 20 * i));
  }
}

// Larger than what the library itself keeps, cut across images, and over the edge of the shape.
TEST(LibrarySource, AChunkIsReadOnceForAllOfItsSamples) {
  const TemporaryFolder folder;
  const auto path = folder / "n.h5";
  const std::vector<hsize_t> shape{5, 1500, 900};
  write_foreign(path, {.shape = shape});
  const auto plain = library_bytes(path);
  for (const std::vector<hsize_t>& chunk : {std::vector<hsize_t>{2, 1500, 900}, {2, 1000, 600}}) {
    pack_images(path, shape, chunk, plain);
    ::testing::internal::CaptureStderr();
    const auto dataset = open_dataset(path, Options{});
    ::testing::internal::GetCapturedStderr();
    const auto expect_sample = [&](std::int64_t i) {
      const auto pixels = pixels_of(*dataset, i);
      EXPECT_TRUE(std::equal(pixels.begin(), pixels.end(), plain.begin() + i * 1500 * 900)) << i;
    };
    for (const std::int64_t i : {3, 0, 4}) expect_sample(i);
    // What was read is not looked up in the file again.
    const std::string sound = read_file(path);
    write_file(path, sound.substr(0, 4096) + std::string(sound.size() - 4096, 'x'));
    for (const std::int64_t i : {2, 1, 4}) expect_sample(i);
    write_file(path, sound);
  }
}

TEST(LibrarySource, LibraryReadsFromSeveralThreads) {
  const TemporaryFolder folder;
  write_foreign(folder / "c.h5", {.chunked = true, .deflate = true});
  Options naive;
  naive.reader = "naive";
  const auto dataset = open_dataset(folder / "c.h5", naive);
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

TEST(LibrarySource, DamagedChunkIsAnErrorThatNamesTheSample) {
  const TemporaryFolder folder;
  const auto path = folder / "c.h5";
  write_foreign(path, {.chunked = true, .fletcher = true});
  std::string bytes = read_file(path);
  const std::size_t chunk = bytes.find(std::string("\x02\x03\x04\x05\x06\x07\x08", 7));
  ASSERT_NE(chunk, std::string::npos);
  bytes[chunk + 20 + 2] = '\x7f';
  write_file(path, bytes);
  Options naive;
  naive.reader = "naive";
  const auto dataset = open_dataset(path, naive);
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
