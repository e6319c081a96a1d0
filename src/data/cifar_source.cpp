// CIFAR's binary files as a source of samples.
#include "source_files.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/data/import_images.h>

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <utility>

namespace lockstep::data {
namespace {

constexpr std::int64_t kSide = 32;
constexpr std::int64_t kPlane = kSide * kSide;
constexpr std::int64_t kChannels = 3;
constexpr std::int64_t kImageBytes = kChannels * kPlane;
constexpr std::int64_t kRecordsAtOnce = 256;
constexpr std::uint64_t kMaxNamesBytes = 1U << 20;

constexpr std::array kTrain10{"data_batch_1.bin",
                              "data_batch_2.bin",
                              "data_batch_3.bin",
                              "data_batch_4.bin",
                              "data_batch_5.bin"};

// What the two sets differ in.
struct Variant {
  std::int64_t num_classes = 10;
  std::int64_t label_bytes = 1;
  std::int64_t label_at = 0;
  const char* names_file = "batches.meta.txt";

  std::int64_t record_bytes() const { return label_bytes + kImageBytes; }
};

Variant variant_of(std::int64_t num_classes, bool coarse) {
  if (num_classes == 10) {
    if (coarse) throw usage_error("--coarse is for CIFAR-100: CIFAR-10 has one label");
    return {};
  }
  if (coarse) return {20, 2, 0, "coarse_label_names.txt"};
  return {100, 2, 1, "fine_label_names.txt"};
}

class CifarSource final : public SampleSource {
 public:
  CifarSource(const std::vector<std::filesystem::path>& sources, const CifarOptions& options) {
    if (options.split != "train" && options.split != "test") split_is_known_ = false;
    find_files(sources, options);
    choose_variant(options);
    count_records();
    set_shape(options);
  }

  WriterOptions shape() const override { return shape_; }

  std::optional<Sample> next() override {
    if (next_ == shape_.num_samples) return std::nullopt;
    while (in_file_ == files_[file_].num_records) {
      ++file_;
      in_file_ = 0;
    }
    const std::span<const std::byte> record = read_record();
    Sample sample;
    sample.label = label_of(record);
    for (std::int64_t i = 0; i < kPlane; ++i) {
      for (std::int64_t c = 0; c < kChannels; ++c) {
        pixels_[static_cast<std::size_t>(i * kChannels + c)] =
            record[static_cast<std::size_t>(variant_.label_bytes + c * kPlane + i)];
      }
    }
    sample.bytes = pixels_;
    sample.size = {kSide, kSide};
    sample.sample_id = next_++;
    ++in_file_;
    return sample;
  }

 private:
  struct File {
    std::filesystem::path path;
    FileHandle handle;
    std::uint64_t size_bytes = 0;
    std::int64_t num_records = 0;
  };

  void find_files(const std::vector<std::filesystem::path>& sources, const CifarOptions& options) {
    std::error_code ignored;
    if (sources.size() == 1 && std::filesystem::is_directory(sources[0], ignored)) {
      find_in_folder(sources[0], options.split);
    } else {
      for (const std::filesystem::path& path : sources) {
        const std::filesystem::path parent = path.parent_path();
        add_file(SourceFolder(parent), path.filename().string());
      }
    }
    if (files_.empty())
      throw usage_error("no files to read: name CIFAR's folder or its .bin files");
  }

  void find_in_folder(const std::filesystem::path& path, const std::string& split) {
    if (!split_is_known_) {
      throw usage_error(format("--split {}: CIFAR's folders hold train and test", split));
    }
    const SourceFolder folder(path);
    if (folder.has_file(kTrain10[0]) || folder.has_file("test_batch.bin")) {
      found_classes_ = 10;
      if (split == "test") return add_file(folder, "test_batch.bin");
      for (const char* name : kTrain10) add_file(folder, name);
    } else if (folder.has_file(split + ".bin")) {
      found_classes_ = 100;
      add_file(folder, split + ".bin");
    } else {
      throw usage_error(
          format("{} holds neither data_batch_1.bin nor {}.bin: it is no folder of "
                 "CIFAR's binary version",
                 path.string(),
                 split));
    }
  }

  void add_file(const SourceFolder& folder, const std::string& name) {
    File file;
    file.path = folder.root() / name;
    file.handle = folder.open_file(name, file.size_bytes);
    files_.push_back(std::move(file));
  }

  // The sizes of whole files of one set are no sizes of the other, short of 9 MB times a number.
  void choose_variant(const CifarOptions& options) {
    std::int64_t classes = options.num_classes > 0 ? options.num_classes : found_classes_;
    if (classes == 0) {
      const auto fits = [this](std::int64_t bytes) {
        return std::all_of(files_.begin(), files_.end(), [bytes](const File& file) {
          return file.size_bytes % static_cast<std::uint64_t>(bytes) == 0;
        });
      };
      const bool ten = fits(kImageBytes + 1);
      if (ten && fits(kImageBytes + 2)) {
        throw usage_error("the files could be CIFAR-10 or CIFAR-100: say which with --num-classes");
      }
      classes = ten ? 10 : 100;
    }
    if (classes != 10 && classes != 100) {
      throw usage_error(format("--num-classes {} is neither 10 nor 100", classes));
    }
    variant_ = variant_of(classes, options.coarse);
  }

  void count_records() {
    const std::int64_t record = variant_.record_bytes();
    for (File& file : files_) {
      const auto size = static_cast<std::int64_t>(file.size_bytes);
      if (size == 0 || size % record != 0) {
        throw data_error(format("{}: {} bytes are no whole number of records of {} bytes",
                                file.path.string(),
                                size,
                                record));
      }
      file.num_records = size / record;
      shape_.num_samples += file.num_records;
    }
    buffer_.resize(static_cast<std::size_t>(kRecordsAtOnce * record));
  }

  void set_shape(const CifarOptions& options) {
    shape_.height = shape_.width = kSide;
    shape_.channels = kChannels;
    shape_.split = found_classes_ > 0 ? options.split : std::string();
    shape_.classes = options.classes.empty() ? names_beside_files() : options.classes;
    if (shape_.classes.empty()) {
      for (std::int64_t i = 0; i < variant_.num_classes; ++i) {
        shape_.classes.push_back(std::to_string(i));
      }
    }
    if (std::ssize(shape_.classes) != variant_.num_classes) {
      throw data_error(format(
          "{} names of classes, CIFAR has {} labels", shape_.classes.size(), variant_.num_classes));
    }
  }

  // One name a line, in the list that lies beside the files.
  std::vector<std::string> names_beside_files() const {
    const SourceFolder folder(files_[0].path.parent_path());
    std::vector<std::string> names;
    if (!folder.has_file(variant_.names_file)) return names;
    std::istringstream lines(folder.read_text(variant_.names_file, kMaxNamesBytes));
    for (std::string line; std::getline(lines, line);) {
      while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
      if (!line.empty()) names.push_back(line);
    }
    return names;
  }

  // Files are read in blocks of records.
  std::span<const std::byte> read_record() {
    const auto record = static_cast<std::size_t>(variant_.record_bytes());
    const std::int64_t in_block = in_file_ % kRecordsAtOnce;
    if (in_block == 0) {
      const File& file = files_[file_];
      const auto count =
          static_cast<std::size_t>(std::min(kRecordsAtOnce, file.num_records - in_file_));
      read_exactly(file.handle,
                   file.path,
                   static_cast<std::uint64_t>(in_file_) * record,
                   std::span(buffer_).first(count * record));
    }
    return std::span(buffer_).subspan(static_cast<std::size_t>(in_block) * record, record);
  }

  std::int64_t label_of(std::span<const std::byte> record) const {
    const auto label =
        static_cast<std::int64_t>(record[static_cast<std::size_t>(variant_.label_at)]);
    if (label < variant_.num_classes) return label;
    throw data_error(format("{}: record {} has label {}, outside the {} classes",
                            files_[file_].path.string(),
                            in_file_,
                            label,
                            variant_.num_classes));
  }

  bool split_is_known_ = true;
  std::vector<File> files_;
  std::int64_t found_classes_ = 0;  // by the names of a folder; 0: not known
  Variant variant_;
  WriterOptions shape_;
  std::vector<std::byte> buffer_;
  std::vector<std::byte> pixels_ = std::vector<std::byte>(static_cast<std::size_t>(kImageBytes));
  std::size_t file_ = 0;
  std::int64_t in_file_ = 0;
  std::int64_t next_ = 0;
};

}  // namespace

std::unique_ptr<SampleSource> open_cifar(const std::vector<std::filesystem::path>& sources,
                                         const CifarOptions& options) {
  return std::make_unique<CifarSource>(sources, options);
}

}  // namespace lockstep::data
