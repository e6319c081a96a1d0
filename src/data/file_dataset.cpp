#include "file_dataset.h"

#include "file_tables.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/hash.h>
#include <lockstep/base/log.h>

#include <utility>

namespace lockstep::data {
namespace {

// Foreign storage without a fixed place for each sample: works, slowly.
void warn_slow(const std::filesystem::path& path, const ArrayInfo& images) {
  std::string filters;
  for (const std::string& filter : images.filters)
    filters += (filters.empty() ? "" : ", ") + filter;
  log::warning(
      "{}: data set \"{}\" is {}{}{}: every read passes through one lock; stored contiguously it "
      "is "
      "read many times faster (h5repack -f NONE -l {}:CONTI)",
      path.string(),
      images.key,
      images.layout,
      filters.empty() ? "" : " with ",
      filters,
      images.key);
}

}  // namespace

FileDataset::FileDataset(FileTables tables, std::unique_ptr<PixelSource> pixels)
    : tables_(std::move(tables)), pixels_(std::move(pixels)) {}

void FileDataset::read_pixels(std::int64_t index, std::span<std::byte> out, bool verify) const {
  LOCKSTEP_CHECK(index >= 0 && index < tables_.info.num_samples, "no such sample");
  LOCKSTEP_CHECK(std::ssize(out) == sample_bytes(), "a sample of another size");
  pixels_->read(index, out);
  if (!verify || checksum_matches(index, out)) return;
  throw data_error(
      format("{}: sample {} ({}) does not match its CRC-32C: the file is damaged, copy "
             "or make it again",
             tables_.info.path.string(),
             index,
             pixels_->place(index)));
}

bool FileDataset::checksum_matches(std::int64_t index, std::span<const std::byte> pixels) const {
  return tables_.checksums.empty() ||
         tables_.checksums[static_cast<std::size_t>(index)] == crc32c(pixels);
}

std::int64_t FileDataset::label(std::int64_t index) const {
  return tables_.labels.empty() ? 0 : tables_.labels[static_cast<std::size_t>(index)];
}

std::int64_t FileDataset::sample_id(std::int64_t index) const {
  return tables_.sample_ids.empty() ? index : tables_.sample_ids[static_cast<std::size_t>(index)];
}

Boxes FileDataset::boxes(std::int64_t index) const {
  if (tables_.box_offsets.empty()) return {};
  const std::uint64_t begin = tables_.box_offsets[static_cast<std::size_t>(index)];
  const std::uint64_t count = tables_.box_offsets[static_cast<std::size_t>(index) + 1] - begin;
  return {std::span(tables_.boxes).subspan(4 * begin, 4 * count),
          std::span(tables_.box_classes).subspan(begin, count),
          std::span(tables_.box_areas).subspan(begin, count),
          std::span(tables_.box_crowd).subspan(begin, count)};
}

std::unique_ptr<FileDataset> open_file_dataset(const std::filesystem::path& path,
                                               const Options& options) {
  const Hdf5Session session;
  Hid file = open_hdf5(session, path);
  OpenTables open = read_tables(session, file.get(), path, options);
  std::unique_ptr<PixelSource> pixels;
  if (open.images.contiguous() && options.reader != "naive") {
    pixels = make_positional_source(path, open.images);
  } else {
    if (options.reader != "naive") warn_slow(path, open.images);
    pixels = make_library_source(path, std::move(file), std::move(open.images));
  }
  return std::make_unique<FileDataset>(std::move(open.tables), std::move(pixels));
}

std::unique_ptr<Dataset> open_dataset(const std::filesystem::path& path, const Options& options) {
  if (path.extension() == ".json") {
    throw data_error(format("{}: sets of several files are not in this version: name one HDF5 file",
                            path.string()));
  }
  return open_file_dataset(path, options);
}

}  // namespace lockstep::data
