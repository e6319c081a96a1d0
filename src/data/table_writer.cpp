#include "table_writer.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace lockstep::data {

void write_exactly(const FileHandle& file,
                   const std::filesystem::path& path,
                   std::uint64_t offset,
                   std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw io_error(format("cannot write {}", path.string()), errno);
    offset += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

std::uint64_t make_extent(const Hdf5Session& session,
                          hid_t file,
                          const std::filesystem::path& path,
                          const std::string& key,
                          hid_t element,
                          std::span<const hsize_t> shape) {
  const Hid space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                  H5Sclose);
  const Hid creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_layout(creation.get(), H5D_CONTIGUOUS);
  // Early: the place in the file is fixed now. Never: HDF5 writes no zeros over what is there.
  H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER);
  // No times: the same samples give the same bytes.
  H5Pset_obj_track_times(creation.get(), false);
  const Hid dataset(
      H5Dcreate2(file, key.c_str(), element, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
      H5Dclose);
  if (!dataset) {
    throw io_error(
        format("cannot make data set \"{}\" in {}: {}", key, path.string(), hdf5_reason(session)));
  }
  if (H5Sget_simple_extent_npoints(space.get()) == 0) return 0;
  const haddr_t offset = H5Dget_offset(dataset.get());
  LOCKSTEP_CHECK(offset != HADDR_UNDEF, "a contiguous data set has its place from the start");
  return offset;
}

TableWriter::TableWriter(const Hdf5Session&, std::string key, hid_t element, hsize_t columns)
    : key_(std::move(key)),
      element_(element),
      columns_(columns),
      row_bytes_(H5Tget_size(element) * columns) {}

void TableWriter::append(std::span<const std::byte> rows) {
  LOCKSTEP_CHECK(rows.size() % row_bytes_ == 0, "whole rows only");
  bytes_.insert(bytes_.end(), rows.begin(), rows.end());
}

void TableWriter::write(const Hdf5Session& session,
                        hid_t hdf5_file,
                        const FileHandle& file,
                        const std::filesystem::path& path) const {
  std::vector<hsize_t> shape{rows()};
  if (columns_ > 1) shape.push_back(columns_);
  const std::uint64_t offset = make_extent(session, hdf5_file, path, key_, element_, shape);
  write_exactly(file, path, offset, bytes_);
}

}  // namespace lockstep::data
