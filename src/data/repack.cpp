// A data set that can be read as a source of samples.
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/data/import.h>

#include <utility>
#include <vector>

namespace lockstep::data {
namespace {

class RepackSource final : public SampleSource {
 public:
  RepackSource(std::unique_ptr<Dataset> dataset, bool deflate)
      : dataset_(std::move(dataset)), deflate_(deflate) {}

  WriterOptions shape() const override {
    const DatasetInfo& info = dataset_->info();
    WriterOptions shape;
    shape.task = info.task;
    shape.split = info.split;
    shape.classes = info.classes;
    shape.num_samples = info.num_samples;
    for (std::int64_t i = 0; i < info.num_samples && info.task == "detection"; ++i) {
      shape.num_boxes += std::ssize(dataset_->boxes(i).classes);
    }
    shape.encoding = info.image_encoding;
    shape.height = info.height;
    shape.width = info.width;
    shape.channels = info.channels;
    shape.deflate = deflate_;
    if (info.image_encoding != "raw") {
      // Nothing is decoded here: the pixels stay what they were.
      shape.image_mean = info.image_mean;
      shape.image_std = info.image_std;
    }
    return shape;
  }

  std::optional<Sample> next() override {
    if (next_ == dataset_->info().num_samples) return std::nullopt;
    const std::int64_t index = next_++;
    bytes_.resize(static_cast<std::size_t>(dataset_->stored_bytes(index)));
    dataset_->read_stored(index, bytes_, true);
    Sample sample;
    sample.bytes = bytes_;
    sample.size = dataset_->image_size(index);
    sample.label = dataset_->label(index);
    sample.sample_id = dataset_->sample_id(index);
    sample.boxes = dataset_->boxes(index);
    return sample;
  }

 private:
  std::unique_ptr<Dataset> dataset_;
  bool deflate_;
  std::vector<std::byte> bytes_;
  std::int64_t next_ = 0;
};

}  // namespace

std::unique_ptr<SampleSource> open_repack(const std::filesystem::path& path,
                                          const Options& options,
                                          bool deflate) {
  auto dataset = open_dataset(path, options);
  if (deflate && !dataset->info().uniform()) {
    throw usage_error(format(
        "{}: --deflate is for raw images of one size: {} are stored as they are",
        path.string(),
        dataset->info().image_encoding == "jpeg" ? "JPEG files" : "images of differing sizes"));
  }
  return std::make_unique<RepackSource>(std::move(dataset), deflate);
}

}  // namespace lockstep::data
