#include "image_writer.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <libdeflate.h>

#include <algorithm>
#include <utility>

namespace lockstep::data {
namespace {

constexpr hsize_t kAlignBytes = 4096;
// Data sets from this size on begin at a multiple of kAlignBytes.
constexpr hsize_t kAlignThresholdBytes = 64 * 1024;
// What fits in here has no place of its own before the end. Requires: above kAlignThresholdBytes.
constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
// HDF5's superblock and root group lie before it: a few hundred bytes.
constexpr std::uint64_t kImagesOffset = kAlignBytes;
constexpr int kDeflateLevel = 6;
constexpr unsigned kMaxLinks = 64;

class ContiguousImages final : public ImageWriter {
 public:
  ContiguousImages(hid_t hdf5_file, const FileHandle& file, std::filesystem::path path)
      : hdf5_file_(hdf5_file), file_(file), path_(std::move(path)) {
    buffer_.reserve(kBufferBytes);
  }

  void append(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      if (buffer_.size() == kBufferBytes) flush();
      const std::size_t part = std::min(bytes.size(), kBufferBytes - buffer_.size());
      buffer_.insert(
          buffer_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(part));
      bytes = bytes.subspan(part);
    }
  }

  void finish(const Hdf5Session& session,
              const std::string& key,
              std::span<const hsize_t> shape) override {
    const std::uint64_t offset = make_extent(session, hdf5_file_, path_, key, H5T_STD_U8LE, shape);
    if (written_bytes_ == 0) {
      write_exactly(file_, path_, offset, buffer_);
      return;
    }
    flush();
    LOCKSTEP_CHECK(offset == kImagesOffset, "this HDF5 puts the first data set elsewhere");
  }

 private:
  void flush() {
    write_exactly(file_, path_, kImagesOffset + written_bytes_, buffer_);
    written_bytes_ += buffer_.size();
    buffer_.clear();
  }

  hid_t hdf5_file_;
  const FileHandle& file_;
  std::filesystem::path path_;
  std::vector<std::byte> buffer_;
  std::uint64_t written_bytes_ = 0;
};

class DeflatedImages final : public ImageWriter {
 public:
  DeflatedImages(const Hdf5Session& session,
                 hid_t hdf5_file,
                 std::filesystem::path path,
                 std::string key,
                 hsize_t most,
                 std::span<const hsize_t> row)
      : path_(std::move(path)), key_(std::move(key)), start_(row.size() + 1, 0) {
    std::vector<hsize_t> shape{most};
    shape.insert(shape.end(), row.begin(), row.end());
    const Hid space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                    H5Sclose);
    const Hid creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    shape[0] = 1;
    H5Pset_chunk(creation.get(), static_cast<int>(shape.size()), shape.data());
    // No shuffle: elements are single bytes.
    H5Pset_deflate(creation.get(), kDeflateLevel);
    H5Pset_obj_track_times(creation.get(), false);
    dataset_ = Hid(H5Dcreate2(hdf5_file,
                              key_.c_str(),
                              H5T_STD_U8LE,
                              space.get(),
                              H5P_DEFAULT,
                              creation.get(),
                              H5P_DEFAULT),
                   H5Dclose);
    if (!dataset_) {
      throw io_error(format(
          "cannot make data set \"{}\" in {}: {}", key_, path_.string(), hdf5_reason(session)));
    }
  }

  ~DeflatedImages() override {
    const Hdf5Session session;
    dataset_.close();
  }

  void append(std::span<const std::byte> bytes) override {
    packed_.resize(libdeflate_zlib_compress_bound(compressor_.get(), bytes.size()));
    const std::size_t size = libdeflate_zlib_compress(
        compressor_.get(), bytes.data(), bytes.size(), packed_.data(), packed_.size());
    LOCKSTEP_CHECK(size > 0, "deflate needs no more than its bound");
    const Hdf5Session session;
    if (H5Dwrite_chunk(dataset_.get(), H5P_DEFAULT, 0, start_.data(), size, packed_.data()) < 0) {
      throw io_error(format(
          "cannot write data set \"{}\" of {}: {}", key_, path_.string(), hdf5_reason(session)));
    }
    ++start_[0];
  }

  void finish(const Hdf5Session& session,
              const std::string& key,
              std::span<const hsize_t> shape) override {
    LOCKSTEP_CHECK(key == key_, "the data set was made at the start");
    if (H5Dset_extent(dataset_.get(), shape.data()) < 0 || !dataset_.close()) {
      throw io_error(format(
          "cannot close data set \"{}\" of {}: {}", key_, path_.string(), hdf5_reason(session)));
    }
  }

 private:
  std::filesystem::path path_;
  std::string key_;
  Hid dataset_;
  std::vector<hsize_t> start_;  // of the next chunk
  std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor_{
      libdeflate_alloc_compressor(kDeflateLevel), libdeflate_free_compressor};
  std::vector<std::byte> packed_;
};

}  // namespace

std::unique_ptr<ImageWriter> make_contiguous_images(hid_t hdf5_file,
                                                    const FileHandle& file,
                                                    const std::filesystem::path& path) {
  return std::make_unique<ContiguousImages>(hdf5_file, file, path);
}

std::unique_ptr<ImageWriter> make_deflated_images(const Hdf5Session& session,
                                                  hid_t hdf5_file,
                                                  const std::filesystem::path& path,
                                                  const std::string& key,
                                                  hsize_t most,
                                                  std::span<const hsize_t> row) {
  return std::make_unique<DeflatedImages>(session, hdf5_file, path, key, most, row);
}

Hid create_data_file(const Hdf5Session& session, const std::filesystem::path& path) {
  const Hid access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_LATEST);
  H5Pset_alignment(access.get(), kAlignThresholdBytes, kAlignBytes);
  H5Pset_file_locking(access.get(), false, true);
  const Hid creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation.get(), false);
  // All links in the root's header: HDF5 1.10 frees twice when links in its other storage, which it
  // takes from nine on, are damaged.
  H5Pset_link_phase_change(creation.get(), kMaxLinks, kMaxLinks / 2);
  Hid file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose);
  if (!file) {
    throw io_error(format("cannot create {}: {}", path.string(), hdf5_reason(session)));
  }
  return file;
}

}  // namespace lockstep::data
