#include "file_dataset.h"

#include "chunked_source.h"
#include "file_tables.h"
#include "library_source.h"
#include "manifest.h"
#include "range_source.h"
#include "sharded_dataset.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/hash.h>
#include <lockstep/base/log.h>

#include <optional>
#include <utility>

namespace lockstep::data {
namespace {

// Storage that is not decoded here: works, slowly.
void warn_slow(const std::filesystem::path& path, const ArrayInfo& images) {
  log::warning(
      "{}: data set \"{}\" has {}, which only the HDF5 library reads: every read passes through "
      "its "
      "one lock; `lockstep prepare repack {} --out NEW.h5` makes it many times faster",
      path.string(),
      images.key,
      images.library_only,
      path.string());
}

std::unique_ptr<PixelSource> make_source(const Hdf5Session& session,
                                         const std::filesystem::path& path,
                                         Hid file,
                                         OpenTables& open,
                                         const Options& options,
                                         const OpenFiles& files) {
  const DatasetInfo& info = open.tables.info;
  const std::int64_t cache_bytes = options.chunk_cache_mib << 20;
  const auto by_library = [&](std::optional<std::int64_t> kept_bytes) {
    return std::make_unique<LibrarySource>(
        session, files.library, path, std::move(file), std::move(open.images), kept_bytes);
  };
  if (options.reader == "naive" && info.uniform()) return by_library(std::nullopt);
  if (!open.images.library_only.empty()) {
    warn_slow(path, open.images);
    return by_library(cache_bytes);
  }
  if (open.images.contiguous()) {
    const auto sample_bytes = static_cast<std::uint64_t>(info.height * info.width * info.channels);
    // The offsets stay where they are when the tables move.
    const Extent extent{open.images.offset_bytes, sample_bytes, open.tables.image_offsets};
    return std::make_unique<RangeSource>(files.pool, files.pool->add(path), extent);
  }
  auto source = std::make_unique<ChunkedSource>(
      session, files.pool, files.pool->add(path), open.images, cache_bytes);
  open.tables.arrays.front().stored_bytes = source->stored_bytes();
  return source;
}

}  // namespace

FileDataset::FileDataset(FileTables tables, std::unique_ptr<PixelSource> pixels)
    : tables_(std::move(tables)), pixels_(std::move(pixels)) {}

void FileDataset::read_pixels(std::int64_t index, std::span<std::byte> out, bool verify) const {
  LOCKSTEP_CHECK(info().uniform(), "stored images are not plain pixels of one size");
  read_stored(index, out, verify);
}

ImageSize FileDataset::image_size(std::int64_t index) const {
  if (tables_.image_sizes.empty()) return Dataset::image_size(index);
  const auto row = 2 * static_cast<std::size_t>(index);
  return {tables_.image_sizes[row], tables_.image_sizes[row + 1]};
}

std::int64_t FileDataset::stored_bytes(std::int64_t index) const {
  if (tables_.image_offsets.empty()) return sample_bytes();
  const auto row = static_cast<std::size_t>(index);
  return static_cast<std::int64_t>(tables_.image_offsets[row + 1] - tables_.image_offsets[row]);
}

void FileDataset::read_stored(std::int64_t index, std::span<std::byte> out, bool verify) const {
  LOCKSTEP_CHECK(index >= 0 && index < tables_.info.num_samples, "no such sample");
  LOCKSTEP_CHECK(std::ssize(out) == stored_bytes(index), "a sample of another size");
  pixels_->read(index, out);
  if (!verify || checksum_matches(index, out)) return;
  throw data_error(
      format("{}: sample {} ({}) does not match its CRC-32C: the file is damaged, copy "
             "or make it again",
             tables_.info.path.string(),
             index,
             pixels_->place(index)));
}

bool FileDataset::checksum_matches(std::int64_t index, std::span<const std::byte> bytes) const {
  return tables_.checksums.empty() ||
         tables_.checksums[static_cast<std::size_t>(index)] == crc32c(bytes);
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
                                               const Options& options,
                                               const OpenFiles& files) {
  const Hdf5Session session;
  Hid file = open_hdf5(session, path);
  OpenTables open = read_tables(session, file.get(), path, options);
  std::unique_ptr<PixelSource> pixels =
      make_source(session, path, std::move(file), open, options, files);
  return std::make_unique<FileDataset>(std::move(open.tables), std::move(pixels));
}

std::unique_ptr<Dataset> open_dataset(const std::filesystem::path& path, const Options& options) {
  if (is_manifest(path)) return open_sharded_dataset(path, options);
  return open_file_dataset(path, options);
}

}  // namespace lockstep::data
