#include "foreign_fixture.h"

#include <numeric>

namespace lockstep::data {

std::vector<std::uint8_t> pattern(std::size_t count, unsigned seed) {
  std::vector<std::uint8_t> bytes(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t mixed = (i / 3 * 2654435761U + seed) >> 7;
    bytes[i] = static_cast<std::uint8_t>(mixed % 23 + i % 2);
  }
  return bytes;
}

namespace {

Hid creation_of(const ForeignArray& array) {
  Hid creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  const hid_t id = creation.get();
  if (!array.chunk.empty()) {
    H5Pset_chunk(id, static_cast<int>(array.chunk.size()), array.chunk.data());
    if (array.bare_edges) H5Pset_chunk_opts(id, H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS);
  }
  if (array.early) H5Pset_alloc_time(id, H5D_ALLOC_TIME_EARLY);
  if (array.shuffle) H5Pset_shuffle(id);
  if (array.fletcher_first) H5Pset_fletcher32(id);
  if (array.deflate) H5Pset_deflate(id, 4);
  if (array.fletcher) H5Pset_fletcher32(id);
  if (array.fill >= 0) H5Pset_fill_value(id, H5T_NATIVE_INT, &array.fill);
  return creation;
}

}  // namespace

void add_array(hid_t file, const ForeignArray& array) {
  const Hdf5Session session;
  const auto rank = static_cast<int>(array.shape.size());
  const Hid space(
      H5Screate_simple(
          rank, array.shape.data(), array.max_shape.empty() ? nullptr : array.max_shape.data()),
      H5Sclose);
  const Hid creation = creation_of(array);
  const Hid dataset(H5Dcreate2(file,
                               array.key.c_str(),
                               array.type,
                               space.get(),
                               H5P_DEFAULT,
                               creation.get(),
                               H5P_DEFAULT),
                    H5Dclose);
  ASSERT_TRUE(dataset) << hdf5_reason(session);
  std::vector<hsize_t> count = array.shape;
  if (array.rows_written >= 0) count[0] = static_cast<hsize_t>(array.rows_written);
  if (count[0] == 0) return;
  const std::vector<hsize_t> start(count.size(), 0);
  H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr);
  const Hid memory(H5Screate_simple(rank, count.data(), nullptr), H5Sclose);
  const auto bytes = pattern(std::accumulate(
      count.begin(), count.end(), std::size_t{1}, [](auto a, auto b) { return a * b; }));
  ASSERT_GE(
      H5Dwrite(
          dataset.get(), H5T_NATIVE_UINT8, memory.get(), space.get(), H5P_DEFAULT, bytes.data()),
      0)
      << hdf5_reason(session);
}

void write_arrays(const std::filesystem::path& path, const ForeignArray& images, bool latest) {
  const Hdf5Session session;
  const Hid access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_libver_bounds(
      access.get(), latest ? H5F_LIBVER_LATEST : H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST);
  const Hid file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), H5Fclose);
  ASSERT_TRUE(file);
  add_array(file.get(), images);
  std::vector<std::int64_t> labels(images.shape[0]);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>(i % 3);
  const hsize_t count = labels.size();
  const Hid space(H5Screate_simple(1, &count, nullptr), H5Sclose);
  const Hid label(
      H5Dcreate2(
          file.get(), "label", H5T_STD_I64LE, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
      H5Dclose);
  ASSERT_GE(H5Dwrite(label.get(), H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, labels.data()),
            0);
}

std::vector<std::byte> library_bytes(const std::filesystem::path& path, const std::string& key) {
  const Hdf5Session session;
  const Hid file = open_hdf5(session, path);
  const Hid dataset(H5Dopen2(file.get(), key.c_str(), H5P_DEFAULT), H5Dclose);
  const Hid space(H5Dget_space(dataset.get()), H5Sclose);
  std::vector<std::byte> bytes(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.get())));
  EXPECT_GE(H5Dread(dataset.get(), H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()),
            0)
      << hdf5_reason(session);
  return bytes;
}

}  // namespace lockstep::data
