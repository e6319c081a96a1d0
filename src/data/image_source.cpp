#include "image_source.h"

#include "image_recoder.h"
#include "ordered_workers.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/threads.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace lockstep::data {
namespace {

constexpr std::uint64_t kMaxFileBytes = 256U << 20;
constexpr std::size_t kSlotsAThread = 4;
// Results that wait for the writer; pictures of common sizes stay far below.
constexpr std::size_t kMaxHeldBytes = 256U << 20;
constexpr std::int64_t kMaxSide = 65'500;  // of JPEG

const char* const kNoAreaText = "boxes of no area";
const char* const kOutsideText = "boxes outside of their picture";

void check_range(const char* flag, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return;
  throw usage_error(format("{} {} is not between {} and {}", flag, value, low, high));
}

void check_options(const ImageImportOptions& options) {
  if (options.encoding != "raw" && options.encoding != "jpeg") {
    throw usage_error(format("--encoding {} is neither raw nor jpeg", options.encoding));
  }
  const bool jpeg = options.encoding == "jpeg";
  if (jpeg && options.image_size != 0) {
    throw usage_error("--image-size is for --encoding raw; with jpeg, --max-side bounds pictures");
  }
  if (!jpeg && options.max_side != 0) {
    throw usage_error("--max-side is for --encoding jpeg; with raw, --image-size resizes pictures");
  }
  if (!jpeg && options.quality != ImageImportOptions{}.quality) {
    throw usage_error("--quality is for --encoding jpeg; raw pixels lose nothing");
  }
  if (options.channels != 1 && options.channels != 3) {
    throw usage_error(format("--channels {} is neither 1 nor 3", options.channels));
  }
  check_range("--image-size", options.image_size, 0, kMaxSide);
  check_range("--max-side", options.max_side, 0, kMaxSide);
  check_range("--quality", options.quality, 1, 100);
  check_range("--threads", options.num_threads, 0, 1024);
}

// A picture on its way to the writer.
struct Prepared {
  RecodedImage image;
  std::vector<float> corners;
  std::vector<std::int64_t> names;
  std::vector<float> areas;
  std::vector<std::uint8_t> crowd;
  std::int64_t num_no_area = 0;
  std::int64_t num_outside = 0;
  std::string fault;  // why it is left out; empty: it is not

  std::size_t held_bytes() const { return image.file.size() + image.pixels.pixels.size(); }
};

enum class Kept { kYes, kNoArea, kOutside };

// Cuts the box at the picture's edges and moves it to the pixels that are stored.
Kept place_box(const TableBox& box, const RecodedImage& image, Prepared& out) {
  const auto width = static_cast<float>(image.original.width);
  const auto height = static_cast<float>(image.original.height);
  const auto& [x0, y0, x1, y1] = box.corners;
  if (!(x1 > x0 && y1 > y0)) return Kept::kNoArea;
  if (!(x0 < width && y0 < height && x1 > 0 && y1 > 0)) return Kept::kOutside;
  // A product of the edge and its scale may be rounded up to beyond the edge.
  const auto right = static_cast<float>(image.shown.width);
  const auto bottom = static_cast<float>(image.shown.height);
  const std::array<float, 4> placed{std::max(x0, 0.0F) * image.scale_x,
                                    std::max(y0, 0.0F) * image.scale_y,
                                    std::min(std::min(x1, width) * image.scale_x, right),
                                    std::min(std::min(y1, height) * image.scale_y, bottom)};
  if (!(placed[2] > placed[0] && placed[3] > placed[1])) return Kept::kNoArea;
  out.corners.insert(out.corners.end(), placed.begin(), placed.end());
  out.names.push_back(box.name);
  out.areas.push_back(box.area * image.scale_x * image.scale_y);
  out.crowd.push_back(box.crowd ? 1 : 0);
  return Kept::kYes;
}

class ImageSource final : public SampleSource {
 public:
  ImageSource(SourceFolder folder, ImageSourceParts parts, const ImageImportOptions& options)
      : folder_(std::move(folder)), parts_(std::move(parts)), options_(options) {
    check_options(options);
    if (parts_.table.size() == 0) {
      throw data_error(format("{}: there are no pictures", folder_.root().string()));
    }
  }

  WriterOptions shape() const override {
    WriterOptions shape;
    shape.task = parts_.task;
    shape.split = parts_.split;
    shape.classes = parts_.classes;
    shape.num_samples = parts_.table.size();
    shape.num_boxes = parts_.table.num_boxes();
    shape.encoding = options_.encoding;
    shape.height = shape.width = options_.image_size;
    shape.channels = options_.channels;
    return shape;
  }

  std::optional<Sample> next() override {
    if (!workers_) start();
    while ((current_ = workers_->next())) {
      const std::int64_t index = next_++;
      if (current_->fault.empty()) return sample_of(index);
      parts_.left_out.add_broken(parts_.table.file(index), current_->fault);
    }
    return std::nullopt;
  }

  std::vector<std::string> summary() const override { return parts_.left_out.lines(); }

 private:
  bool detection() const { return parts_.task == "detection"; }

  void start() {
    const auto threads = options_.num_threads > 0 ? static_cast<std::size_t>(options_.num_threads)
                                                  : allowed_cores().size();
    workers_.emplace(parts_.table.size(),
                     threads,
                     threads * kSlotsAThread,
                     kMaxHeldBytes,
                     [this](std::int64_t index) { return prepare(index); });
  }

  // Thread: any.
  Prepared prepare(std::int64_t index) const {
    const std::string name = parts_.table.file(index);
    const std::string start = folder_.root().string() + ": " + printable(name) + ": ";
    Prepared prepared;
    try {
      prepared.image = recode_image(folder_.read(name, kMaxFileBytes), detection(), options_);
      check_expected(index, prepared.image.original);
    } catch (const Error& error) {
      if (error.code() != ExitCode::kBadData) throw;
      std::string cause = error.what();
      if (cause.starts_with(start)) cause.erase(0, start.size());
      if (options_.on_broken == BrokenImages::kError) {
        throw data_error(start + cause + " (--on-broken skip leaves such pictures out)");
      }
      prepared = Prepared();
      prepared.fault = cause;
      return prepared;
    }
    for (const TableBox& box : parts_.table.boxes(index)) {
      const Kept kept = place_box(box, prepared.image, prepared);
      prepared.num_no_area += kept == Kept::kNoArea ? 1 : 0;
      prepared.num_outside += kept == Kept::kOutside ? 1 : 0;
    }
    return prepared;
  }

  // Boxes in pixels of another size would be wrong without a word.
  void check_expected(std::int64_t index, ImageSize found) const {
    const ImageSize expected = parts_.table[index].expected;
    if (expected == ImageSize{} || expected == found) return;
    throw data_error(format("it is {} x {} (height, width), its annotation says {} x {}",
                            found.height,
                            found.width,
                            expected.height,
                            expected.width));
  }

  Sample sample_of(std::int64_t index) {
    const Prepared& prepared = *current_;
    const std::string name = parts_.table.file(index);
    if (prepared.num_no_area > 0) parts_.left_out.add(kNoAreaText, name, prepared.num_no_area);
    if (prepared.num_outside > 0) parts_.left_out.add(kOutsideText, name, prepared.num_outside);
    Sample sample;
    const auto pixels = std::as_bytes(std::span(prepared.image.pixels.pixels));
    if (options_.encoding == "jpeg") {
      sample.bytes = prepared.image.file;
      sample.pixels = pixels;
    } else {
      sample.bytes = pixels;
    }
    sample.size = prepared.image.size;
    sample.label = parts_.table[index].label;
    sample.sample_id = parts_.table[index].sample_id;
    sample.boxes = {prepared.corners, prepared.names, prepared.areas, prepared.crowd};
    return sample;
  }

  SourceFolder folder_;
  ImageSourceParts parts_;
  ImageImportOptions options_;
  std::optional<Prepared> current_;
  std::int64_t next_ = 0;
  std::optional<OrderedWorkers<Prepared>> workers_;  // last: its threads use the rest
};

}  // namespace

std::unique_ptr<SampleSource> make_image_source(SourceFolder folder,
                                                ImageSourceParts parts,
                                                const ImageImportOptions& options) {
  return std::make_unique<ImageSource>(std::move(folder), std::move(parts), options);
}

}  // namespace lockstep::data
