#include "file_tables.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>
#include <lockstep/base/hash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <type_traits>
#include <utility>

namespace lockstep::data {
namespace {

constexpr std::int64_t kMaxForeignClasses = 1 << 20;
constexpr std::uint64_t kMinJpegBytes = 4;  // its first and last marker

// As StoredArray::type.
template <class T>
std::string type_name() {
  const char* kind = std::is_floating_point_v<T> ? "f" : std::is_signed_v<T> ? "i" : "u";
  return kind + std::to_string(8 * sizeof(T));
}

// Of 0 to count - 1 as i64.
std::uint32_t crc32c_of_numbers(std::int64_t count) {
  std::array<std::int64_t, 1024> block{};
  std::uint32_t crc = 0;
  for (std::int64_t begin = 0; begin < count; begin += std::ssize(block)) {
    std::iota(block.begin(), block.end(), begin);
    const auto used = static_cast<std::size_t>(std::min(count - begin, std::ssize(block)));
    crc = crc32c(std::as_bytes(std::span(block).first(used)), crc);
  }
  return crc;
}

bool is_side(std::uint64_t pixels) {
  return pixels >= 1 && pixels <= static_cast<std::uint64_t>(kMaxSide);
}

class TableReader {
 public:
  TableReader(const Hdf5Session& session,
              hid_t file,
              const std::filesystem::path& path,
              const Options& options)
      : session_(session),
        file_(file),
        path_(path),
        options_(options),
        bytes_(open_for_reading(path)),
        attributes_(read_attributes(session, file, path)) {
    tables_.info = info_from_attributes(attributes_, path);
  }

  OpenTables read() {
    DatasetInfo& info = tables_.info;
    // Attributes name the channels of images that are not in /images.
    const bool ragged = info.channels > 0;
    StoredArray images = ragged ? open_image_bytes() : open_images();
    if (ragged) read_image_places(images);
    if (info.task == "classification") {
      read_labels();
    } else {
      read_boxes();
    }
    if (info.native) {
      read_sample_ids();
      tables_.checksums = read_checked<std::uint32_t>(kSampleCrc, "u32", samples());
    }
    set_statistics();
    return {std::move(tables_), std::move(images)};
  }

 private:
  std::uint64_t samples() const { return static_cast<std::uint64_t>(tables_.info.num_samples); }

  Error refuse(const std::string& key, const std::string& what) const {
    return data_error(format("{}: data set \"{}\" {}", path_.string(), key, what));
  }

  StoredArray open_images() {
    DatasetInfo& info = tables_.info;
    const std::string key = info.native ? kImages : options_.image_key;
    StoredArray images = open_array(session_, file_, path_, key);
    check_image_shape(images);
    const auto stored = static_cast<std::int64_t>(images.shape[0]);
    if (info.native && info.num_samples != stored) {
      throw refuse(
          key, format("has {} samples, attribute num_samples says {}", stored, info.num_samples));
    }
    info.num_samples = stored;
    info.height = static_cast<std::int64_t>(images.shape[1]);
    info.width = static_cast<std::int64_t>(images.shape[2]);
    info.channels = images.shape.size() == 4 ? static_cast<std::int64_t>(images.shape[3]) : 1;
    tables_.arrays.push_back(images);
    return images;
  }

  StoredArray open_image_bytes() {
    DatasetInfo& info = tables_.info;
    if (info.num_samples < 1 || std::cmp_greater(info.num_samples, kMaxSamples)) {
      throw data_error(
          format("{}: root attribute num_samples is {}, outside what this version reads",
                 path_.string(),
                 info.num_samples));
    }
    StoredArray bytes = open_array(session_, file_, path_, kImageBytes);
    if (bytes.type != "u8" || bytes.shape.size() != 1 || !bytes.contiguous()) {
      throw refuse(kImageBytes,
                   format("is {} {} of shape {}, expected contiguous u8 of shape (bytes)",
                          bytes.layout,
                          bytes.type,
                          bytes.shape_text()));
    }
    tables_.arrays.push_back(bytes);
    return bytes;
  }

  // Where each image lies, and its size.
  void read_image_places(const StoredArray& bytes) {
    tables_.image_offsets = read_checked<std::uint64_t>(kImageOffset, "u64", samples() + 1);
    const auto& offsets = tables_.image_offsets;
    if (offsets.front() != 0 || offsets.back() != bytes.shape[0] ||
        !std::is_sorted(offsets.begin(), offsets.end())) {
      throw refuse(kImageOffset, format("does not rise from 0 to the {} bytes", bytes.shape[0]));
    }
    const StoredArray sizes = open_array(session_, file_, path_, kImageSize);
    if (sizes.type != "i32" || sizes.shape.size() != 2 || sizes.shape[1] != 2) {
      throw refuse(
          kImageSize,
          format("is {} of shape {}, sizes are i32 (N, 2)", sizes.type, sizes.shape_text()));
    }
    check_count(sizes, samples());
    tables_.image_sizes = read_table<std::int32_t>(sizes);
    check_crc(sizes, bytes_of(tables_.image_sizes));
    tables_.arrays.push_back(sizes);
    for (std::size_t i = 0; i < samples(); ++i) check_place(i);
  }

  void check_place(std::size_t i) const {
    const std::int32_t height = tables_.image_sizes[2 * i];
    const std::int32_t width = tables_.image_sizes[2 * i + 1];
    const std::uint64_t bytes = tables_.image_offsets[i + 1] - tables_.image_offsets[i];
    const bool sides = height > 0 && width > 0 && height <= kMaxSide && width <= kMaxSide;
    const bool raw = tables_.info.image_encoding == "raw";
    const auto pixels = static_cast<std::uint64_t>(height) * static_cast<std::uint64_t>(width) *
                        static_cast<std::uint64_t>(tables_.info.channels);
    if (sides && bytes <= static_cast<std::uint64_t>(kMaxStoredBytes) &&
        (raw ? bytes == pixels : bytes >= kMinJpegBytes)) {
      return;
    }
    throw refuse(kImageSize,
                 format("says {} x {} of sample {}, which has {} bytes", height, width, i, bytes));
  }

  void check_image_shape(const StoredArray& images) const {
    if (images.type != "u8") {
      throw refuse(images.key, format("is {}, images are u8 (0 to 255)", images.type));
    }
    const std::size_t rank = images.shape.size();
    if (rank != 3 && rank != 4) {
      throw refuse(
          images.key,
          format("has shape {}, images are (N, H, W) or (N, H, W, C)", images.shape_text()));
    }
    if (images.shape[0] == 0) throw refuse(images.key, "has no samples");
    if (images.shape[0] > kMaxSamples || !is_side(images.shape[1]) || !is_side(images.shape[2])) {
      throw refuse(images.key,
                   format("has shape {}, outside what this version reads", images.shape_text()));
    }
    if (rank == 4 && images.shape[3] != 1 && images.shape[3] != 3) {
      throw refuse(images.key,
                   format("has shape {}: the last dimension is the number of channels, "
                          "1 or 3",
                          images.shape_text()));
    }
  }

  void read_labels() {
    DatasetInfo& info = tables_.info;
    const std::string key = info.native ? kLabel : options_.label_key;
    const StoredArray array = open_array(session_, file_, path_, key);
    const bool column = array.shape.size() == 2 && array.shape[1] == 1;
    if (!array.is_integer() || (array.shape.size() != 1 && !column)) {
      throw refuse(key,
                   format("is {} of shape {}, labels are whole numbers of shape (N)",
                          array.type,
                          array.shape_text()));
    }
    check_count(array, samples());
    tables_.labels = read_table<std::int64_t>(array);
    if (info.native) check_crc(array, bytes_of(tables_.labels));
    tables_.arrays.push_back(array);
    if (info.classes.empty()) name_classes(key);
    check_classes(key, tables_.labels);
  }

  // Classes of a foreign file: "0" to the largest label.
  void name_classes(const std::string& key) {
    if (tables_.info.native) throw data_error(format("{}: no classes", path_.string()));
    const auto largest = std::max_element(tables_.labels.begin(), tables_.labels.end());
    if (*largest >= kMaxForeignClasses) {
      throw refuse(key,
                   format("has label {} at sample {}: labels are 0 to the number of classes "
                          "less one",
                          *largest,
                          largest - tables_.labels.begin()));
    }
    for (std::int64_t label = 0; label <= *largest; ++label) {
      tables_.info.classes.push_back(std::to_string(label));
    }
  }

  void check_classes(const std::string& key, const std::vector<std::int64_t>& labels) const {
    const auto count = std::ssize(tables_.info.classes);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] >= 0 && labels[i] < count) continue;
      throw refuse(key,
                   format("has label {} at {} {}, outside the {} classes",
                          labels[i],
                          key == kBoxClass ? "box" : "sample",
                          i,
                          count));
    }
  }

  void read_boxes() {
    tables_.arrays.reserve(8);
    const StoredArray corners = open_array(session_, file_, path_, kBox);
    if (corners.type != "f32" || corners.shape.size() != 2 || corners.shape[1] != 4) {
      throw refuse(
          kBox,
          format("is {} of shape {}, boxes are f32 (M, 4)", corners.type, corners.shape_text()));
    }
    const std::uint64_t count = corners.shape[0];
    tables_.boxes = read_table<float>(corners);
    check_crc(corners, bytes_of(tables_.boxes));
    tables_.arrays.push_back(corners);
    tables_.box_classes = read_checked<std::int64_t>(kBoxClass, "i64", count);
    tables_.box_areas = read_checked<float>(kBoxArea, "f32", count);
    tables_.box_crowd = read_checked<std::uint8_t>(kBoxCrowd, "u8", count);
    if (std::ranges::any_of(tables_.box_crowd, [](std::uint8_t flag) { return flag > 1; })) {
      throw refuse(kBoxCrowd, "holds a value that is neither 0 nor 1");
    }
    tables_.box_offsets = read_checked<std::uint64_t>(kBoxOffset, "u64", samples() + 1);
    const auto& offsets = tables_.box_offsets;
    if (offsets.front() != 0 || offsets.back() != count ||
        !std::is_sorted(offsets.begin(), offsets.end())) {
      throw refuse(kBoxOffset, format("does not rise from 0 to the {} boxes", count));
    }
    check_classes(kBoxClass, tables_.box_classes);
  }

  // Ids of 0 to N - 1 are known by their checksum, without the table being read: they are not kept.
  void read_sample_ids() {
    const StoredArray array = open_array(session_, file_, path_, kSampleId);
    check_row(array, "i64", samples());
    const std::int64_t stored = whole_attribute(attributes_, crc_attribute(kSampleId), path_);
    tables_.arrays.push_back(array);
    if (stored == static_cast<std::int64_t>(crc32c_of_numbers(tables_.info.num_samples))) return;
    tables_.sample_ids = read_table<std::int64_t>(array);
    check_crc(array, bytes_of(tables_.sample_ids));
  }

  template <class T>
  std::vector<T> read_checked(const std::string& key,
                              const std::string& type,
                              std::uint64_t count) {
    const StoredArray array = open_array(session_, file_, path_, key);
    check_row(array, type, count);
    std::vector<T> values = read_table<T>(array);
    check_crc(array, bytes_of(values));
    tables_.arrays.push_back(array);
    return values;
  }

  void check_row(const StoredArray& array, const std::string& type, std::uint64_t count) const {
    if (array.type != type || array.shape.size() != 1) {
      throw refuse(
          array.key,
          format(
              "is {} of shape {}, expected {} of shape (N)", array.type, array.shape_text(), type));
    }
    check_count(array, count);
  }

  // By one positional read where the bytes in the file are those in memory.
  template <class T>
  std::vector<T> read_table(const StoredArray& array) const {
    static_assert(std::endian::native == std::endian::little);
    const bool as_stored = array.contiguous() && array.library_only.empty() && !array.big_endian;
    if (!as_stored || array.type != type_name<T>()) {
      return read_array<T>(session_, array, path_);
    }
    std::vector<T> values(array.size_bytes / sizeof(T));
    read_exactly(bytes_, path_, array.offset_bytes, std::as_writable_bytes(std::span(values)));
    return values;
  }

  void check_count(const StoredArray& array, std::uint64_t count) const {
    if (array.shape[0] == count) return;
    throw refuse(array.key,
                 format("has {} entries, expected {} beside {} images",
                        array.shape[0],
                        count,
                        tables_.info.num_samples));
  }

  void check_crc(const StoredArray& array, std::span<const std::byte> bytes) const {
    const std::int64_t stored = whole_attribute(attributes_, crc_attribute(array.key), path_);
    if (stored == static_cast<std::int64_t>(crc32c(bytes))) return;
    throw refuse(array.key,
                 "does not match its CRC-32C: the file is damaged, copy or make it again");
  }

  void set_statistics() {
    DatasetInfo& info = tables_.info;
    const auto channels = static_cast<std::size_t>(info.channels);
    if (!info.native && info.image_mean.size() != channels) info.image_mean.assign(channels, 0.5);
    if (!info.native && info.image_std.size() != channels) info.image_std.assign(channels, 0.5);
    bool good = info.image_mean.size() == channels && info.image_std.size() == channels;
    for (const double mean : info.image_mean) good = good && std::isfinite(mean);
    for (const double deviation : info.image_std) {
      good = good && std::isfinite(deviation) && deviation > 0;
    }
    if (good) return;
    throw data_error(
        format("{}: image_mean and image_std need {} finite numbers each, image_std "
               "above 0",
               path_.string(),
               channels));
  }

  const Hdf5Session& session_;
  hid_t file_;
  const std::filesystem::path& path_;
  const Options& options_;
  FileHandle bytes_;
  Attributes attributes_;
  FileTables tables_;
};

}  // namespace

OpenTables read_tables(const Hdf5Session& session,
                       hid_t file,
                       const std::filesystem::path& path,
                       const Options& options) {
  return TableReader(session, file, path, options).read();
}

}  // namespace lockstep::data
