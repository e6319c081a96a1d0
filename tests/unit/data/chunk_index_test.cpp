// The index holds what the library tells chunk by chunk; indices that cannot be true are refused.
#include "chunk_index.h"

#include "foreign_fixture.h"

#include <lockstep/base/clock.h>

#include <cstring>

namespace lockstep::data {
namespace {

ChunkIndex index_of(const std::filesystem::path& path) {
  const Hdf5Session session;
  const Hid file = open_hdf5(session, path);
  return read_chunk_index(session, path, open_array(session, file.get(), path, "images"));
}

TEST(ChunkIndex, EqualsWhatTheLibraryTells) {
  const TemporaryFolder folder;
  const auto path = folder / "f.h5";
  for (const bool latest : {false, true}) {
    ForeignArray array;
    array.chunk = {3, 4, 5};
    array.deflate = true;
    array.rows_written = 10;
    write_arrays(path, array, latest);
    const ChunkIndex index = index_of(path);
    ASSERT_EQ(index.chunks.size(), 14U);
    EXPECT_EQ(index.num_stored, 8U);
    const Hdf5Session session;
    const Hid file = open_hdf5(session, path);
    const Hid dataset(H5Dopen2(file.get(), "images", H5P_DEFAULT), H5Dclose);
    std::uint64_t sum = 0;
    for (std::uint64_t number = 0; number < 14; ++number) {
      const Coordinates origin = index.grid.origin(number);
      const hsize_t offset[3] = {origin[0], origin[1], origin[2]};
      unsigned mask = 0;
      haddr_t address = 0;
      hsize_t size = 0;
      ASSERT_GE(H5Dget_chunk_info_by_coord(dataset.get(), offset, &mask, &address, &size), 0);
      EXPECT_EQ(index.chunks[number].stored_bytes, size);
      EXPECT_EQ(index.chunks[number].filter_mask, mask);
      if (size > 0) {
        EXPECT_EQ(index.chunks[number].offset_bytes, address);
      }
      sum += size;
    }
    EXPECT_EQ(index.stored_bytes, sum);
    std::filesystem::remove(path);
  }
}

TEST(ChunkIndex, ChunksPastTheEndOfTheFileAreRefused) {
  const TemporaryFolder folder;
  const auto path = folder / "f.h5";
  ForeignArray array;
  array.chunk = {4, 6, 5};
  write_arrays(path, array, false);
  const StoredChunk last = index_of(path).chunks[4];
  std::string bytes = read_file(path);
  std::uint64_t address = last.offset_bytes;
  const std::string stored(reinterpret_cast<const char*>(&address), 8);
  const std::size_t entry = bytes.find(stored);
  ASSERT_NE(entry, std::string::npos);
  address = bytes.size() - 10;
  std::memcpy(bytes.data() + entry, &address, 8);
  write_file(path, bytes);
  expect_error(ExitCode::kBadData, {path.string(), "\"images\""}, [&] { index_of(path); });
}

TEST(ChunkIndex, IsFasterThanAskingChunkByChunk) {
  const TemporaryFolder folder;
  const auto path = folder / "f.h5";
  ForeignArray array;
  array.shape = {3000, 4, 4};
  array.chunk = {1, 4, 4};
  write_arrays(path, array, false);
  const Stopwatch ours;
  EXPECT_EQ(index_of(path).num_stored, 3000U);
  const double ours_s = ours.elapsed_s();
  const Hdf5Session session;
  const Hid file = open_hdf5(session, path);
  const Hid dataset(H5Dopen2(file.get(), "images", H5P_DEFAULT), H5Dclose);
  const Hid space(H5Dget_space(dataset.get()), H5Sclose);
  const Stopwatch loop;
  for (hsize_t i = 0; i < 3000; i += 10) {
    hsize_t offset[3];
    unsigned mask = 0;
    haddr_t address = 0;
    hsize_t size = 0;
    ASSERT_GE(H5Dget_chunk_info(dataset.get(), space.get(), i, offset, &mask, &address, &size), 0);
  }
  // A tenth of the loop; at 20,000 chunks the whole is hundreds of times slower.
  EXPECT_LT(ours_s, loop.elapsed_s() * 2);
}

}  // namespace
}  // namespace lockstep::data
