#include "file_writer.h"

#include "schema.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/data/inspect.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace lockstep::data {
namespace {

constexpr std::uint64_t kHeaderBytes = 64 * 1024;

template <class T>
std::span<const std::byte> one(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

}  // namespace

FileWriter::FileWriter(const WriterOptions& options, std::int64_t first_sample)
    : options_(options),
      first_sample_(first_sample),
      temporary_(temporary_beside(options.path)),
      statistics_(options.channels) {
  const Hdf5Session session;
  try {
    hdf5_file_ = create_data_file(session, temporary_);
    file_ = FileHandle(open(temporary_.c_str(), O_RDWR | O_CLOEXEC));
    if (!file_) throw io_error(format("cannot write {}", temporary_.string()), errno);
    make_tables(session);
    make_images(session);
    reserve_space();
  } catch (...) {
    discard();
    throw;
  }
}

FileWriter::~FileWriter() {
  if (!published_) discard();
}

void FileWriter::add(const Sample& sample) {
  check(sample);
  statistics_.add(options_.encoding == "raw" ? sample.bytes : sample.pixels);
  hash_.update(sample.bytes);
  images_->append(sample.bytes);
  image_bytes_ += sample.bytes.size();
  if (!uniform()) {
    image_offset_->append(one(image_bytes_));
    image_size_->append(one(std::array{sample.size.height, sample.size.width}));
  }
  if (detection()) {
    box_->append(std::as_bytes(sample.boxes.corners));
    box_class_->append(std::as_bytes(sample.boxes.classes));
    box_area_->append(std::as_bytes(sample.boxes.areas));
    box_crowd_->append(std::as_bytes(sample.boxes.crowd));
    box_offset_->append(one(std::uint64_t{box_->rows()}));
  } else {
    label_->append(one(sample.label));
  }
  sample_id_->append(one(sample.sample_id));
  sample_crc_->append(one(crc32c(sample.bytes)));
  ++num_added_;
}

const DatasetInfo& FileWriter::close() {
  if (num_added_ == 0)
    throw data_error(format("no samples to write to {}", options_.path.string()));
  const Hdf5Session session;
  write_images(session);
  for (const TableWriter& table : tables_) {
    table.write(session, hdf5_file_.get(), file_, temporary_);
    hash_.update(table.bytes());
  }
  describe();
  write_attributes(session);
  images_.reset();
  tables_.clear();
  if (H5Fflush(hdf5_file_.get(), H5F_SCOPE_LOCAL) < 0 || !hdf5_file_.close()) {
    throw io_error(format("cannot close {}: {}", temporary_.string(), hdf5_reason(session)));
  }
  // Gives back what was reserved for samples that did not come.
  size_bytes_ = file_size_bytes(file_, temporary_);
  if (ftruncate(file_.get(), static_cast<off_t>(size_bytes_)) != 0) {
    throw io_error(format("cannot write {}", temporary_.string()), errno);
  }
  sync_file(file_, temporary_);
  file_ = FileHandle();
  return info_;
}

// A close that succeeded proves nothing when the disk was full.
void FileWriter::verify(const std::function<void(std::int64_t)>& progress) const {
  try {
    const Verification verification = verify_dataset(temporary_, Options{}, progress);
    const DatasetInfo found = open_dataset(temporary_, Options{})->info();
    if (verification.good() && found.content_digest == info_.content_digest) return;
  } catch (const Error& error) {
    if (error.code() != ExitCode::kBadData) throw;
    throw io_error(format(
        "{} was not written whole (is the disk full?): {}", options_.path.string(), error.what()));
  }
  throw io_error(format("{}: what was read back is not what was written: check the disk",
                        options_.path.string()));
}

void FileWriter::publish(const std::filesystem::path& path) {
  publish_file(temporary_, path);
  published_ = true;
  info_.path = path;
}

TableWriter* FileWriter::make_table(const Hdf5Session& session,
                                    const char* key,
                                    hid_t element,
                                    hsize_t columns) {
  return &tables_.emplace_back(session, key, element, columns);
}

// In the order of the format's table: the content digest follows it.
void FileWriter::make_tables(const Hdf5Session& session) {
  if (!uniform()) {
    image_offset_ = make_table(session, kImageOffset, H5T_STD_U64LE);
    image_offset_->append(one(std::uint64_t{0}));
    image_size_ = make_table(session, kImageSize, H5T_STD_I32LE, 2);
  }
  if (detection()) {
    box_ = make_table(session, kBox, H5T_IEEE_F32LE, 4);
    box_class_ = make_table(session, kBoxClass, H5T_STD_I64LE);
    box_area_ = make_table(session, kBoxArea, H5T_IEEE_F32LE);
    box_crowd_ = make_table(session, kBoxCrowd, H5T_STD_U8LE);
    box_offset_ = make_table(session, kBoxOffset, H5T_STD_U64LE);
    box_offset_->append(one(std::uint64_t{0}));
  } else {
    label_ = make_table(session, kLabel, H5T_STD_I64LE);
  }
  sample_id_ = make_table(session, kSampleId, H5T_STD_I64LE);
  sample_crc_ = make_table(session, kSampleCrc, H5T_STD_U32LE);
}

void FileWriter::make_images(const Hdf5Session& session) {
  if (!options_.deflate) {
    images_ = make_contiguous_images(hdf5_file_.get(), file_, temporary_);
    return;
  }
  const std::array row{static_cast<hsize_t>(options_.height),
                       static_cast<hsize_t>(options_.width),
                       static_cast<hsize_t>(options_.channels)};
  images_ = make_deflated_images(session,
                                 hdf5_file_.get(),
                                 temporary_,
                                 kImages,
                                 static_cast<hsize_t>(options_.num_samples),
                                 row);
}

// Space that is missing is found now and not after an hour. File systems without reservation are
// left alone: every write is still checked, and everything is read back.
void FileWriter::reserve_space() const {
  std::uint64_t row_bytes = 0;
  for (const TableWriter& table : tables_) {
    const bool of_boxes = &table == box_ || &table == box_class_ || &table == box_area_;
    if (!of_boxes && &table != box_crowd_) row_bytes += table.row_bytes();
  }
  if (uniform() && !options_.deflate) {
    row_bytes += static_cast<std::uint64_t>(options_.height * options_.width * options_.channels);
  }
  std::uint64_t bytes = kHeaderBytes + row_bytes * static_cast<std::uint64_t>(options_.num_samples);
  if (detection()) {
    for (const TableWriter* table : {box_, box_class_, box_area_, box_crowd_}) {
      bytes += table->row_bytes() * static_cast<std::uint64_t>(options_.num_boxes);
    }
  }
  if (fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) == 0) return;
  if (errno == ENOSPC || errno == EFBIG || errno == EDQUOT) {
    throw io_error(format("cannot reserve {} bytes for {}", bytes, temporary_.string()), errno);
  }
}

void FileWriter::check(const Sample& sample) const {
  LOCKSTEP_CHECK(num_added_ < options_.num_samples, "more samples than announced");
  const ImageSize size = sample.size;
  if (size.height < 1 || size.width < 1 || size.height > kMaxSide || size.width > kMaxSide ||
      sample.bytes.empty() || std::ssize(sample.bytes) > kMaxStoredBytes) {
    throw data_error(format("sample {} of {} x {} in {} bytes: not a size that can be written",
                            first_sample_ + num_added_,
                            size.height,
                            size.width,
                            sample.bytes.size()));
  }
  if (options_.encoding == "raw") {
    LOCKSTEP_CHECK(!uniform() || (size.height == options_.height && size.width == options_.width),
                   "a sample of another size");
    const std::int64_t pixels = std::int64_t{size.height} * size.width;
    LOCKSTEP_CHECK(std::ssize(sample.bytes) == pixels * options_.channels,
                   "pixels of another size than announced");
  }
  const std::size_t boxes = sample.boxes.classes.size();
  LOCKSTEP_CHECK(sample.boxes.corners.size() == 4 * boxes && sample.boxes.areas.size() == boxes &&
                     sample.boxes.crowd.size() == boxes,
                 "box tables of different lengths");
  if (!detection()) check_class(sample.label);
  for (const std::int64_t name : sample.boxes.classes) check_class(name);
}

void FileWriter::check_class(std::int64_t name) const {
  if (name >= 0 && name < std::ssize(options_.classes)) return;
  throw data_error(
      format("sample {} has label {}, outside the {} classes: name all of them with "
             "--classes",
             first_sample_ + num_added_,
             name,
             options_.classes.size()));
}

void FileWriter::write_images(const Hdf5Session& session) {
  if (!uniform()) {
    images_->finish(session, kImageBytes, std::array{hsize_t{image_bytes_}});
    return;
  }
  images_->finish(session,
                  kImages,
                  std::array{static_cast<hsize_t>(num_added_),
                             static_cast<hsize_t>(options_.height),
                             static_cast<hsize_t>(options_.width),
                             static_cast<hsize_t>(options_.channels)});
}

void FileWriter::describe() {
  info_.path = options_.path;
  info_.task = options_.task;
  info_.split = options_.split;
  info_.image_encoding = options_.encoding;
  info_.classes = options_.classes;
  info_.num_samples = num_added_;
  info_.height = uniform() ? options_.height : 0;
  info_.width = uniform() ? options_.width : 0;
  info_.channels = options_.channels;
  info_.image_mean = options_.image_mean.empty() ? statistics_.mean() : options_.image_mean;
  info_.image_std = options_.image_std.empty() ? statistics_.deviation() : options_.image_std;
  info_.content_digest = hash_.finish();
  info_.native = true;
  info_.has_checksums = true;
}

void FileWriter::write_attributes(const Hdf5Session& session) {
  Attributes attributes = attributes_of(info_);
  for (const TableWriter& table : tables_) {
    attributes[crc_attribute(table.key())] = std::int64_t{table.crc()};
  }
  attributes[kAttributesCrc] = std::int64_t{attributes_crc32c(attributes)};
  for (const auto& [name, value] : attributes) {
    write_attribute(session, hdf5_file_.get(), temporary_, name, value);
  }
}

void FileWriter::discard() {
  images_.reset();
  {
    const Hdf5Session session;
    hdf5_file_.close();
  }
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

}  // namespace lockstep::data
