// What HDF5 reads and what we read is the same, for every index, filter and shape.
#include "chunked_source.h"

#include "file_dataset.h"
#include "foreign_fixture.h"

#include <random>
#include <thread>

namespace lockstep::data {
namespace {

constexpr hsize_t kMore = H5S_UNLIMITED;

struct Index {
  const char* name;
  bool latest;
  bool early;
  bool whole;                     // one chunk holds everything
  std::vector<hsize_t> max_tail;  // of the first dimensions; empty: fixed
};

const std::vector<Index> kIndices{{"b-tree v1", false, false, false, {}},
                                  {"b-tree v1, growing", false, false, false, {kMore}},
                                  {"fixed array", true, false, false, {}},
                                  {"implicit", true, true, false, {}},
                                  {"single chunk", true, false, true, {}},
                                  {"extensible array", true, false, false, {kMore}},
                                  {"b-tree v2", true, false, false, {kMore, kMore}}};

ForeignArray with_filters(int filters) {
  ForeignArray array;
  array.shuffle = filters == 2 || filters == 4;
  array.deflate = filters == 1 || filters == 2 || filters == 4 || filters == 5;
  array.fletcher = filters == 3 || filters == 4;
  array.fletcher_first = filters == 5;
  return array;
}

void expect_equal_to_library(const std::filesystem::path& path, const std::string& what) {
  const std::vector<std::byte> expected = library_bytes(path);
  ::testing::internal::CaptureStderr();
  const auto dataset = open_dataset(path, Options{});
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "") << what;
  const auto size = static_cast<std::size_t>(dataset->sample_bytes());
  std::vector<std::int64_t> order(static_cast<std::size_t>(dataset->info().num_samples));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  std::shuffle(order.begin(), order.end(), std::mt19937(1));
  for (const std::int64_t i : order) {
    const auto pixels = pixels_of(*dataset, i);
    const auto begin = expected.begin() + i * static_cast<std::int64_t>(size);
    ASSERT_TRUE(std::equal(pixels.begin(), pixels.end(), begin)) << what << ", sample " << i;
  }
}

void compare_all(const std::vector<hsize_t>& shape, const std::vector<hsize_t>& chunk) {
  const TemporaryFolder folder;
  for (const Index& index : kIndices) {
    for (int filters = 0; filters < 6; ++filters) {
      for (const bool bare_edges : {false, true}) {
        if (bare_edges && !index.latest) continue;
        ForeignArray array = with_filters(filters);
        array.shape = shape;
        array.chunk = index.whole ? shape : chunk;
        array.early = index.early;
        array.bare_edges = bare_edges;
        if (!index.max_tail.empty()) {
          array.max_shape = shape;
          std::copy(index.max_tail.begin(), index.max_tail.end(), array.max_shape.begin());
        }
        write_arrays(folder / "f.h5", array, index.latest);
        expect_equal_to_library(folder / "f.h5",
                                std::string(index.name) + ", filters " + std::to_string(filters));
        std::filesystem::remove(folder / "f.h5");
      }
    }
  }
}

TEST(ChunkedSource, OneSampleAChunk) { compare_all({11, 6, 5}, {1, 6, 5}); }
TEST(ChunkedSource, SeveralSamplesAChunk) { compare_all({11, 6, 5}, {4, 6, 5}); }
TEST(ChunkedSource, ChunksThatCutImages) { compare_all({7, 6, 5, 3}, {1, 4, 2, 3}); }
TEST(ChunkedSource, ChunksThatCutImagesAndColours) { compare_all({7, 6, 5, 3}, {3, 5, 2, 2}); }
TEST(ChunkedSource, LargerSamplesThanAVector) { compare_all({9, 40, 33}, {2, 40, 33}); }

TEST(ChunkedSource, ChunksThatWereNeverWrittenHoldTheFillValue) {
  const TemporaryFolder folder;
  for (const bool latest : {false, true}) {
    ForeignArray array = with_filters(2);
    array.chunk = {3, 6, 5};
    array.rows_written = 7;
    array.fill = 77;
    write_arrays(folder / "f.h5", array, latest);
    expect_equal_to_library(folder / "f.h5", "partly written");
    const auto dataset = open_dataset(folder / "f.h5", Options{});
    EXPECT_EQ(pixels_of(*dataset, 19)[3], std::byte{77});
    std::filesystem::remove(folder / "f.h5");
  }
}

TEST(ChunkedSource, FilesWithAUserBlock) {
  const TemporaryFolder folder;
  const auto path = folder / "u.h5";
  {
    const Hdf5Session session;
    const Hid creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
    H5Pset_userblock(creation.get(), 1024);
    const Hid file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), H5P_DEFAULT), H5Fclose);
    ForeignArray array = with_filters(1);
    array.chunk = {3, 6, 5};
    add_array(file.get(), array);
    ForeignArray labels;
    labels.key = "label";
    labels.shape = {20};
    labels.type = H5T_STD_I16BE;
    add_array(file.get(), labels);
  }
  expect_equal_to_library(path, "user block");
}

class OpenSource {
 public:
  OpenSource(const std::filesystem::path& path, std::int64_t cache_bytes) {
    const Hdf5Session session;
    const Hid file = open_hdf5(session, path);
    StoredArray array = open_array(session, file.get(), path, "images");
    const auto pool = std::make_shared<FilePool>(1);
    source_ = std::make_unique<ChunkedSource>(session, pool, pool->add(path), array, cache_bytes);
    array.dataset.close();
    bytes_ = array.size_bytes / array.shape[0];
  }
  const ChunkedSource& operator*() const { return *source_; }
  std::vector<std::byte> read(std::int64_t index) const {
    std::vector<std::byte> out(bytes_);
    source_->read(index, out);
    return out;
  }

 private:
  std::unique_ptr<ChunkedSource> source_;
  std::size_t bytes_ = 0;
};

TEST(ChunkedSource, ReadsEachChunkOnceWhenItIsKept) {
  const TemporaryFolder folder;
  ForeignArray array = with_filters(1);
  array.shape = {64, 6, 5};
  array.chunk = {8, 6, 5};
  write_arrays(folder / "f.h5", array, false);
  const OpenSource tight(folder / "f.h5", 240);
  EXPECT_EQ((*tight).samples_per_chunk(), 8);
  for (std::int64_t i = 0; i < 64; ++i) tight.read(i % 2 * 32 + i / 2);
  EXPECT_EQ((*tight).chunks_read(), 64U);
  const OpenSource window(folder / "f.h5", 240);
  (*window).keep_chunks(2);
  for (std::int64_t i = 0; i < 64; ++i) window.read(i % 2 * 32 + i / 2);
  EXPECT_EQ((*window).chunks_read(), 8U);
}

TEST(ChunkedSource, UnfilteredSamplesAreReadByThemselves) {
  const TemporaryFolder folder;
  ForeignArray array;
  array.chunk = {8, 6, 5};
  write_arrays(folder / "f.h5", array, false);
  const OpenSource source(folder / "f.h5", 240);
  EXPECT_EQ((*source).samples_per_chunk(), 1);
  source.read(13);
  EXPECT_EQ((*source).chunks_read(), 0U);
}

TEST(ChunkedSource, FourThreadsReadAtRandom) {
  const TemporaryFolder folder;
  ForeignArray array = with_filters(4);
  array.shape = {200, 12, 10};
  array.chunk = {16, 12, 10};
  write_arrays(folder / "f.h5", array, true);
  const std::vector<std::byte> expected = library_bytes(folder / "f.h5");
  const OpenSource source(folder / "f.h5", 3 * 16 * 120);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 1000; ++i) {
        const auto index = static_cast<std::int64_t>(random() % 200);
        const auto pixels = source.read(index);
        wrong[t] +=
            std::equal(pixels.begin(), pixels.end(), expected.begin() + index * 120) ? 0 : 1;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

TEST(ChunkedSource, FlippedBitsUnderFletcherAreErrors) {
  const TemporaryFolder folder;
  const auto path = folder / "f.h5";
  for (const int filters : {3, 4}) {
    ForeignArray array = with_filters(filters);
    array.chunk = {4, 6, 5};
    write_arrays(path, array, true);
    const std::string good = read_file(path);
    std::vector<StoredChunk> chunks;
    {
      const Hdf5Session session;
      const Hid file = open_hdf5(session, path);
      chunks =
          read_chunk_index(session, path, open_array(session, file.get(), path, "images")).chunks;
    }
    ASSERT_EQ(chunks.size(), 5U);
    std::mt19937 random(3);
    for (int trial = 0; trial < 50; ++trial) {
      const std::size_t number = random() % chunks.size();
      const std::size_t byte = chunks[number].offset_bytes + random() % chunks[number].stored_bytes;
      std::string bad = good;
      bad[byte] = static_cast<char>(bad[byte] ^ (1 << random() % 8));
      write_file(path, bad);
      const auto dataset = open_dataset(path, Options{});
      const auto index = static_cast<std::int64_t>(number * 4);
      expect_error(ExitCode::kBadData,
                   {path.string(), "chunk " + std::to_string(number), "fletcher32"},
                   [&] { pixels_of(*dataset, index); });
    }
    std::filesystem::remove(path);
  }
}

TEST(ChunkedSource, SamplesOfAShapeBombAreRefused) {
  const TemporaryFolder folder;
  ForeignArray array = with_filters(1);
  array.shape = {1, 60000, 60000};
  array.chunk = {1, 64, 64};
  array.rows_written = 0;
  write_arrays(folder / "f.h5", array, false);
  expect_error(ExitCode::kBadData, {"\"images\"", "no bytes were ever written"}, [&] {
    open_dataset(folder / "f.h5", Options{});
  });
}

}  // namespace
}  // namespace lockstep::data
