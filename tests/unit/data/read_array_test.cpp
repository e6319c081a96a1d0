// Tables of every number type and storage come out as the library converts them.
#include "foreign_fixture.h"
#include "stored_array.h"

namespace lockstep::data {
namespace {

TEST(ReadArray, EveryTypeAndStorage) {
  const TemporaryFolder folder;
  const auto path = folder / "f.h5";
  const Hdf5Session session;
  for (const hid_t type : {H5T_STD_U8LE,
                           H5T_STD_I8LE,
                           H5T_STD_U16BE,
                           H5T_STD_I16LE,
                           H5T_STD_U32LE,
                           H5T_STD_I32BE,
                           H5T_STD_U64BE,
                           H5T_STD_I64LE,
                           H5T_IEEE_F32BE}) {
    for (const bool chunked : {false, true}) {
      for (const bool deflate : {false, true}) {
        if (deflate && !chunked) continue;
        ForeignArray array;
        array.shape = {100};
        array.type = type;
        if (chunked) array.chunk = {32};
        array.deflate = deflate;
        array.shuffle = deflate;
        {
          const Hid file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
                         H5Fclose);
          add_array(file.get(), array);
        }
        const Hid file = open_hdf5(session, path);
        const StoredArray stored = open_array(session, file.get(), path, "images");
        const auto bytes = pattern(100);
        const auto values = read_array<std::int64_t>(session, stored, path);
        const auto floats = read_array<float>(session, stored, path);
        ASSERT_EQ(values.size(), 100U);
        for (std::size_t i = 0; i < 100; ++i) {
          ASSERT_EQ(values[i], bytes[i]) << stored.type << chunked << deflate;
          ASSERT_EQ(floats[i], bytes[i]) << stored.type << chunked << deflate;
        }
      }
    }
  }
}

TEST(ReadArray, NumbersThatDoNotFitBecomeTheNearest) {
  const TemporaryFolder folder;
  const auto path = folder / "f.h5";
  const Hdf5Session session;
  {
    const Hid file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
    ForeignArray array;
    array.shape = {4};
    array.chunk = {4};
    array.type = H5T_STD_U64LE;
    add_array(file.get(), array);
    const Hid dataset(H5Dopen2(file.get(), "images", H5P_DEFAULT), H5Dclose);
    const std::uint64_t values[4] = {0, 1, std::uint64_t{1} << 63, ~std::uint64_t{0}};
    H5Dwrite(dataset.get(), H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  }
  const Hid file = open_hdf5(session, path);
  const auto values =
      read_array<std::int64_t>(session, open_array(session, file.get(), path, "images"), path);
  EXPECT_EQ(values, (std::vector<std::int64_t>{0, 1, INT64_MAX, INT64_MAX}));
}

// A GiB by its shape, which only the library reads, and of which nothing was written.
TEST(ReadArray, AnEmptyTableTakesNoMemory) {
  const TemporaryFolder folder;
  const auto path = folder / "f.h5";
  const Hdf5Session session;
  {
    const Hid file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
    const hsize_t count = 1 << 27;
    const hsize_t chunk = 1 << 20;
    const Hid space(H5Screate_simple(1, &count, nullptr), H5Sclose);
    const Hid creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_chunk(creation.get(), 1, &chunk);
    H5Pset_scaleoffset(creation.get(), H5Z_SO_INT, 0);
    const Hid table(
        H5Dcreate2(
            file.get(), "t", H5T_STD_I64LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
        H5Dclose);
  }
  const Hid file = open_hdf5(session, path);
  expect_error(ExitCode::kBadData, {"f.h5", "\"t\"", "ever written"}, [&] {
    read_array<std::int64_t>(session, open_array(session, file.get(), path, "t"), path);
  });
}

TEST(ReadArray, DamagedTablesNameTheChunk) {
  const TemporaryFolder folder;
  const auto path = folder / "f.h5";
  const Hdf5Session session;
  {
    const Hid file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
    ForeignArray array;
    array.shape = {64};
    array.chunk = {64};
    array.fletcher = true;
    add_array(file.get(), array);
  }
  std::string bytes = read_file(path);
  const auto content = pattern(64);
  const std::size_t at = bytes.find(std::string(content.begin(), content.end()));
  ASSERT_NE(at, std::string::npos);
  bytes[at + 5] = static_cast<char>(bytes[at + 5] ^ 1);
  write_file(path, bytes);
  const Hid file = open_hdf5(session, path);
  const StoredArray array = open_array(session, file.get(), path, "images");
  expect_error(ExitCode::kBadData, {path.string(), "\"images\"", "chunk 0", "fletcher32"}, [&] {
    read_array<std::int64_t>(session, array, path);
  });
}

}  // namespace
}  // namespace lockstep::data
