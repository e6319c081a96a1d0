#include "pixel_statistics.h"
#include "schema.h"
#include "table_writer.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>
#include <lockstep/base/hash.h>
#include <lockstep/data/inspect.h>
#include <lockstep/data/writer.h>

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <list>
#include <utility>

namespace lockstep::data {
namespace {

constexpr hsize_t kAlignThresholdBytes = 64 * 1024;
constexpr hsize_t kAlignBytes = 4096;
constexpr std::uint64_t kHeaderBytes = 64 * 1024;
constexpr std::uint64_t kBlockBytes = std::uint64_t{1} << 20;

void check_options(const WriterOptions& options) {
  const std::string path = options.path.string();
  if (options.path.filename().empty()) {
    throw usage_error(format("\"{}\" is not the name of a file to write", path));
  }
  std::error_code ignored;
  if (!options.force && std::filesystem::exists(options.path, ignored)) {
    throw io_error(format("{} exists: remove it, choose another name or pass --force", path));
  }
  if (options.num_samples < 1) throw data_error(format("no samples to write to {}", path));
  if (options.channels != 1 && options.channels != 3) {
    throw data_error(format("{} channels: the format holds images of 1 or 3", options.channels));
  }
  std::int64_t bytes = options.channels;
  for (const std::int64_t factor : {options.height, options.width, options.num_samples}) {
    if (factor < 1 || __builtin_mul_overflow(bytes, factor, &bytes)) {
      throw data_error(format("{} images of {} x {}: not a size that can be written",
                              options.num_samples,
                              options.height,
                              options.width));
    }
  }
}

// Space that is missing is found now and not after an hour. File systems without reservation are
// left alone: verification still finds what was not written.
void reserve_space(const std::filesystem::path& path, std::uint64_t size_bytes) {
  const FileHandle file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) throw io_error(format("cannot write {}", path.string()), errno);
  if (fallocate(file.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size_bytes)) == 0) return;
  if (errno == ENOSPC || errno == EFBIG || errno == EDQUOT) {
    throw io_error(format("cannot reserve {} bytes for {}", size_bytes, path.string()), errno);
  }
}

Hid create_file(const Hdf5Session& session, const std::filesystem::path& path) {
  const Hid access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_LATEST);
  H5Pset_alignment(access.get(), kAlignThresholdBytes, kAlignBytes);
  H5Pset_file_locking(access.get(), false, true);
  const Hid creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation.get(), false);
  Hid file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose);
  if (!file) {
    throw io_error(format("cannot create {}: {}", path.string(), hdf5_reason(session)));
  }
  return file;
}

// SHA-256 over a byte range of a file, in blocks.
void hash_extent(Sha256& hash,
                 const FileHandle& file,
                 const std::filesystem::path& path,
                 std::uint64_t offset_bytes,
                 std::uint64_t size_bytes) {
  std::vector<std::byte> block(std::min(size_bytes, kBlockBytes));
  while (size_bytes > 0) {
    const std::uint64_t part = std::min<std::uint64_t>(size_bytes, block.size());
    read_exactly(file, path, offset_bytes, std::span(block).first(part));
    hash.update(std::span(block).first(part));
    offset_bytes += part;
    size_bytes -= part;
  }
}

template <class T>
std::span<const std::byte> one(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

}  // namespace

class Writer::State {
 public:
  explicit State(const WriterOptions& options)
      : options_(options),
        temporary_(temporary_beside(options.path)),
        statistics_(options.channels) {
    const Hdf5Session session;
    try {
      file_ = create_file(session, temporary_);
      make_tables(session);
      reserve_space(temporary_, planned_bytes());
    } catch (...) {
      discard();
      throw;
    }
  }

  ~State() {
    if (!published_) discard();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void add(const Sample& sample) {
    check(sample);
    const Hdf5Session session;
    statistics_.add(sample.pixels);
    hash_.update(sample.pixels);
    images_->append(session, sample.pixels);
    if (detection()) {
      box_->append(session, std::as_bytes(sample.boxes.corners));
      box_class_->append(session, std::as_bytes(sample.boxes.classes));
      box_area_->append(session, std::as_bytes(sample.boxes.areas));
      box_crowd_->append(session, std::as_bytes(sample.boxes.crowd));
      box_offset_->append(session, one(std::uint64_t{box_->rows_written()}));
    } else {
      label_->append(session, one(sample.label));
    }
    sample_id_->append(session, one(sample.sample_id));
    sample_crc_->append(session, one(crc32c(sample.pixels)));
    ++num_added_;
  }

  DatasetInfo finish(const std::function<void(std::int64_t)>& progress) {
    if (num_added_ != options_.num_samples ||
        (detection() && box_->rows_written() != box_->rows())) {
      throw data_error(format("{} of {} samples were given for {}",
                              num_added_,
                              options_.num_samples,
                              options_.path.string()));
    }
    close_file();
    DatasetInfo info = read_back(progress);
    publish_file(temporary_, options_.path);
    published_ = true;
    info.path = options_.path;
    return info;
  }

 private:
  bool detection() const { return options_.task == "detection"; }

  TableWriter* make_table(const Hdf5Session& session,
                          const char* key,
                          hid_t element,
                          std::vector<hsize_t> shape) {
    return &tables_.emplace_back(session, file_.get(), temporary_, key, element, std::move(shape));
  }

  // In the order of the format's table: the content digest follows it.
  void make_tables(const Hdf5Session& session) {
    const auto count = static_cast<hsize_t>(options_.num_samples);
    const auto boxes = static_cast<hsize_t>(options_.num_boxes);
    images_ = make_table(session,
                         kImages,
                         H5T_STD_U8LE,
                         {count,
                          static_cast<hsize_t>(options_.height),
                          static_cast<hsize_t>(options_.width),
                          static_cast<hsize_t>(options_.channels)});
    if (detection()) {
      if (boxes == 0) throw data_error(format("no boxes to write to {}", options_.path.string()));
      box_ = make_table(session, kBox, H5T_IEEE_F32LE, {boxes, 4});
      box_class_ = make_table(session, kBoxClass, H5T_STD_I64LE, {boxes});
      box_area_ = make_table(session, kBoxArea, H5T_IEEE_F32LE, {boxes});
      box_crowd_ = make_table(session, kBoxCrowd, H5T_STD_U8LE, {boxes});
      box_offset_ = make_table(session, kBoxOffset, H5T_STD_U64LE, {count + 1});
      box_offset_->append(session, one(std::uint64_t{0}));
    } else {
      label_ = make_table(session, kLabel, H5T_STD_I64LE, {count});
    }
    sample_id_ = make_table(session, kSampleId, H5T_STD_I64LE, {count});
    sample_crc_ = make_table(session, kSampleCrc, H5T_STD_U32LE, {count});
  }

  std::uint64_t planned_bytes() const {
    std::uint64_t bytes = kHeaderBytes;
    for (const TableWriter& table : tables_) bytes += table.size_bytes();
    return bytes;
  }

  void check(const Sample& sample) const {
    const std::int64_t pixels = options_.height * options_.width * options_.channels;
    LOCKSTEP_CHECK(std::ssize(sample.pixels) == pixels, "a sample of another size");
    LOCKSTEP_CHECK(num_added_ < options_.num_samples, "more samples than announced");
    const std::size_t boxes = sample.boxes.classes.size();
    LOCKSTEP_CHECK(sample.boxes.corners.size() == 4 * boxes && sample.boxes.areas.size() == boxes &&
                       sample.boxes.crowd.size() == boxes,
                   "box tables of different lengths");
    if (!detection()) check_class(sample.label);
    for (const std::int64_t name : sample.boxes.classes) check_class(name);
  }

  void check_class(std::int64_t name) const {
    if (name >= 0 && name < std::ssize(options_.classes)) return;
    throw data_error(
        format("sample {} has label {}, outside the {} classes: name all of them with "
               "--classes",
               num_added_,
               name,
               options_.classes.size()));
  }

  // The content digest goes on from the hash of the images with the smaller tables, which are read
  // back, so that none has to stay in memory.
  std::string content_digest(const Hdf5Session& session) {
    if (H5Fflush(file_.get(), H5F_SCOPE_LOCAL) < 0) {
      throw io_error(format("cannot flush {}: {}", temporary_.string(), hdf5_reason(session)));
    }
    const FileHandle file = open_for_reading(temporary_);
    for (const TableWriter& table : tables_) {
      if (&table != images_) {
        hash_extent(hash_, file, temporary_, table.offset_bytes(session), table.size_bytes());
      }
    }
    return hash_.finish();
  }

  DatasetInfo describe(const Hdf5Session& session) {
    DatasetInfo info;
    info.task = options_.task;
    info.split = options_.split;
    info.classes = options_.classes;
    info.num_samples = options_.num_samples;
    info.image_mean = statistics_.mean();
    info.image_std = statistics_.deviation();
    info.content_digest = content_digest(session);
    return info;
  }

  void close_file() {
    const Hdf5Session session;
    for (TableWriter& table : tables_) table.flush(session);
    Attributes attributes = attributes_of(describe(session));
    digest_ = std::get<std::string>(attributes["content_digest"]);
    for (const TableWriter& table : tables_) {
      if (&table != images_) attributes[crc_attribute(table.key())] = std::int64_t{table.crc()};
    }
    attributes[kAttributesCrc] = std::int64_t{attributes_crc32c(attributes)};
    for (const auto& [name, value] : attributes) {
      write_attribute(session, file_.get(), temporary_, name, value);
    }
    tables_.clear();
    if (H5Fflush(file_.get(), H5F_SCOPE_LOCAL) < 0 || !file_.close()) {
      throw io_error(format("cannot close {}: {}", temporary_.string(), hdf5_reason(session)));
    }
    sync_file(open_for_reading(temporary_), temporary_);
  }

  // A close that succeeded proves nothing when the disk was full.
  DatasetInfo read_back(const std::function<void(std::int64_t)>& progress) {
    try {
      const Verification verification = verify_dataset(temporary_, Options{}, progress);
      DatasetInfo info = open_dataset(temporary_, Options{})->info();
      if (verification.good() && info.content_digest == digest_) return info;
    } catch (const Error& error) {
      if (error.code() != ExitCode::kBadData) throw;
      throw io_error(format("{} was not written whole (is the disk full?): {}",
                            options_.path.string(),
                            error.what()));
    }
    throw io_error(format("{}: what was read back is not what was written: check the disk",
                          options_.path.string()));
  }

  void discard() {
    {
      const Hdf5Session session;
      tables_.clear();
      file_.close();
    }
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
  }

  WriterOptions options_;
  std::filesystem::path temporary_;
  PixelStatistics statistics_;
  Sha256 hash_;
  std::string digest_;
  Hid file_;
  std::list<TableWriter> tables_;  // a list: the pointers below stay valid
  TableWriter* images_ = nullptr;
  TableWriter* label_ = nullptr;
  TableWriter* box_ = nullptr;
  TableWriter* box_class_ = nullptr;
  TableWriter* box_area_ = nullptr;
  TableWriter* box_crowd_ = nullptr;
  TableWriter* box_offset_ = nullptr;
  TableWriter* sample_id_ = nullptr;
  TableWriter* sample_crc_ = nullptr;
  std::int64_t num_added_ = 0;
  bool published_ = false;
};

Writer::Writer(const WriterOptions& options) {
  check_options(options);
  state_ = std::make_unique<State>(options);
}

Writer::~Writer() = default;

void Writer::add(const Sample& sample) { state_->add(sample); }

DatasetInfo Writer::finish(const std::function<void(std::int64_t)>& progress) {
  return state_->finish(progress);
}

}  // namespace lockstep::data
