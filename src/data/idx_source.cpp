// MNIST's idx files as a source of samples.
#include "gzip_reader.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/data/import.h>

#include <algorithm>
#include <array>
#include <utility>

namespace lockstep::data {
namespace {

constexpr std::uint32_t kTypeU8 = 0x08;
constexpr std::uint32_t kMaxSide = 1 << 16;
constexpr std::int64_t kMaxImageBytes = std::int64_t{256} << 20;
constexpr std::size_t kLabelsAtOnce = 1 << 20;

std::uint32_t read_big_endian(GzipReader& reader) {
  std::array<std::byte, 4> bytes{};
  reader.read(bytes);
  std::uint32_t value = 0;
  for (const std::byte byte : bytes) value = (value << 8) | static_cast<std::uint32_t>(byte);
  return value;
}

// Magic 00 00 type rank, then `rank` sizes.
std::vector<std::uint32_t> read_header(GzipReader& reader,
                                       const std::filesystem::path& path,
                                       const char* what,
                                       std::uint32_t min_rank,
                                       std::uint32_t max_rank) {
  const std::uint32_t magic = read_big_endian(reader);
  const std::uint32_t rank = magic & 0xFF;
  if (magic >> 8 != kTypeU8 || rank < min_rank || rank > max_rank) {
    throw data_error(
        format("{}: magic number 0x{:08x} is not that of idx {} (0x{:08x}): are images "
               "and labels in the right order?",
               path.string(),
               magic,
               what,
               (kTypeU8 << 8) | min_rank));
  }
  std::vector<std::uint32_t> sizes;
  for (std::uint32_t i = 0; i < rank; ++i) sizes.push_back(read_big_endian(reader));
  return sizes;
}

class IdxSource final : public SampleSource {
 public:
  IdxSource(const std::filesystem::path& images,
            const std::filesystem::path& labels,
            const std::vector<std::string>& classes)
      : images_path_(images), images_(images) {
    const auto sizes = read_header(images_, images, "images", 3, 4);
    set_shape(sizes);
    read_labels(labels);
    set_classes(labels, classes);
    pixels_.resize(static_cast<std::size_t>(shape_.height * shape_.width * shape_.channels));
  }

  WriterOptions shape() const override { return shape_; }

  std::optional<Sample> next() override {
    if (next_ == shape_.num_samples) return std::nullopt;
    images_.read(pixels_);
    const auto index = next_++;
    if (next_ == shape_.num_samples) images_.expect_end();
    Sample sample;
    sample.bytes = pixels_;
    sample.size = {static_cast<std::int32_t>(shape_.height),
                   static_cast<std::int32_t>(shape_.width)};
    sample.label = static_cast<std::int64_t>(labels_[static_cast<std::size_t>(index)]);
    sample.sample_id = index;
    return sample;
  }

 private:
  void set_shape(const std::vector<std::uint32_t>& sizes) {
    shape_.num_samples = sizes[0];
    shape_.height = sizes[1];
    shape_.width = sizes[2];
    shape_.channels = sizes.size() == 4 ? sizes[3] : 1;
    const bool sides =
        sizes[1] >= 1 && sizes[1] <= kMaxSide && sizes[2] >= 1 && sizes[2] <= kMaxSide;
    const bool channels = shape_.channels == 1 || shape_.channels == 3;
    const bool whole = sizes[0] > 0 && sides && channels;
    if (whole && shape_.height * shape_.width * shape_.channels <= kMaxImageBytes) return;
    throw data_error(format("{}: {} images of {} x {} x {} cannot be a data set",
                            images_path_.string(),
                            sizes[0],
                            sizes[1],
                            sizes[2],
                            shape_.channels));
  }

  void read_labels(const std::filesystem::path& path) {
    GzipReader reader(path);
    const auto sizes = read_header(reader, path, "labels", 1, 1);
    if (sizes[0] != static_cast<std::uint32_t>(shape_.num_samples)) {
      throw data_error(format("{} has {} labels, {} has {} images: they are not of one set",
                              path.string(),
                              sizes[0],
                              images_path_.string(),
                              shape_.num_samples));
    }
    // Memory grows with what is there, not with what the header says.
    for (std::size_t left = sizes[0]; left > 0;) {
      const std::size_t piece = std::min(left, kLabelsAtOnce);
      labels_.resize(labels_.size() + piece);
      reader.read(std::span(labels_).last(piece));
      left -= piece;
    }
    reader.expect_end();
  }

  void set_classes(const std::filesystem::path& path, const std::vector<std::string>& classes) {
    const auto largest = std::max_element(labels_.begin(), labels_.end());
    const auto count = static_cast<std::int64_t>(*largest) + 1;
    shape_.classes = classes;
    if (classes.empty()) {
      for (std::int64_t name = 0; name < count; ++name) {
        shape_.classes.push_back(std::to_string(name));
      }
    } else if (std::ssize(classes) < count) {
      throw data_error(format("{}: sample {} has label {}, --classes names {}",
                              path.string(),
                              largest - labels_.begin(),
                              count - 1,
                              classes.size()));
    }
  }

  std::filesystem::path images_path_;
  GzipReader images_;
  WriterOptions shape_;
  std::vector<std::byte> labels_;
  std::vector<std::byte> pixels_;
  std::int64_t next_ = 0;
};

}  // namespace

std::unique_ptr<SampleSource> open_idx(const std::filesystem::path& images,
                                       const std::filesystem::path& labels,
                                       const std::vector<std::string>& classes) {
  return std::make_unique<IdxSource>(images, labels, classes);
}

}  // namespace lockstep::data
