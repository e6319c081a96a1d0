// Seeded images whose label or boxes can be read off the pixels; docs/dataset-format.md has the
// rules and their constants.
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/random.h>
#include <lockstep/data/import.h>

#include <algorithm>
#include <array>

namespace lockstep::data {
namespace {

constexpr std::int64_t kMaxSide = 1 << 14;
constexpr std::int64_t kMinDetectionSide = 16;
constexpr std::int64_t kMaxDetectionClasses = 32;

// Classification: lit cell minus background is 80, more than the whole spread of the noise (62).
constexpr int kDark = 64;
constexpr int kLit = 144;
constexpr std::uint32_t kMaxOffset = 80;  // brightness of one image, 0 to 79
constexpr int kPixelNoise = 31;           // of one pixel, -31 to 31

// Detection: fill values of classes are kStep apart, noise is less than half of it.
constexpr int kBackground = 24;
constexpr int kFirstFill = 64;
constexpr int kFillStep = 6;
constexpr int kDetectionNoise = 2;
constexpr std::int64_t kCells = 4;  // quadrants, each with one rectangle or none

// Streams of random numbers of one sample.
enum class Draw : std::uint64_t { kContent = 0, kNoise = 1 };

PhiloxStream stream_of(std::uint64_t seed, std::int64_t index, Draw draw) {
  return {seed, (static_cast<std::uint64_t>(index) << 1) | static_cast<std::uint64_t>(draw)};
}

struct Rectangle {
  std::int64_t x0 = 0, y0 = 0, x1 = 0, y1 = 0;  // x1 and y1 are one past the last pixel
  std::int64_t name = 0;
};

std::int64_t cell_of(std::int64_t position, std::int64_t grid, std::int64_t size) {
  return position * grid / size;
}

class SyntheticSource : public SampleSource {
 public:
  explicit SyntheticSource(const SyntheticOptions& options)
      : options_(options),
        pixels_(
            static_cast<std::size_t>(options.image_size * options.image_size * options.channels)) {}

  WriterOptions shape() const override {
    WriterOptions shape;
    shape.num_samples = options_.num_samples;
    shape.height = shape.width = options_.image_size;
    shape.channels = options_.channels;
    for (std::int64_t name = 0; name < options_.num_classes; ++name) {
      shape.classes.push_back(std::to_string(name));
    }
    return shape;
  }

 protected:
  // Adds noise of -limit to limit to every value: four bytes a random word.
  void add_noise(std::int64_t index, int limit) {
    PhiloxStream random = stream_of(options_.seed, index, Draw::kNoise);
    const auto width = static_cast<std::uint32_t>(2 * limit + 1);
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < pixels_.size(); ++i) {
      word = i % 4 == 0 ? random.next_u32() : word >> 8;
      const int noise = static_cast<int>(((word & 0xFF) * width) >> 8) - limit;
      pixels_[i] =
          static_cast<std::byte>(std::clamp(std::to_integer<int>(pixels_[i]) + noise, 0, 255));
    }
  }

  ImageSize size() const {
    const auto side = static_cast<std::int32_t>(options_.image_size);
    return {side, side};
  }

  SyntheticOptions options_;
  std::vector<std::byte> pixels_;
  std::int64_t next_ = 0;
};

class ClassificationSource final : public SyntheticSource {
 public:
  using SyntheticSource::SyntheticSource;

  std::optional<Sample> next() override {
    if (next_ == options_.num_samples) return std::nullopt;
    const std::int64_t index = next_++;
    PhiloxStream random = stream_of(options_.seed, index, Draw::kContent);
    Sample sample;
    sample.label =
        static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(options_.num_classes)));
    sample.sample_id = index;
    const int offset = static_cast<int>(random.below(kMaxOffset));
    const std::int64_t side = options_.image_size;
    const std::int64_t grid = synthetic_grid(options_.num_classes);
    std::byte* out = pixels_.data();
    for (std::int64_t y = 0; y < side; ++y) {
      for (std::int64_t x = 0; x < side; ++x) {
        const bool lit = cell_of(y, grid, side) * grid + cell_of(x, grid, side) == sample.label;
        const auto value = static_cast<std::byte>((lit ? kLit : kDark) + offset);
        out = std::fill_n(out, options_.channels, value);
      }
    }
    add_noise(index, kPixelNoise);
    sample.bytes = pixels_;
    sample.size = size();
    return sample;
  }
};

class DetectionSource final : public SyntheticSource {
 public:
  explicit DetectionSource(const SyntheticOptions& options) : SyntheticSource(options) {
    for (std::int64_t i = 0; i < options_.num_samples; ++i) num_boxes_ += std::ssize(draw(i));
  }

  WriterOptions shape() const override {
    WriterOptions shape = SyntheticSource::shape();
    shape.task = "detection";
    shape.num_boxes = num_boxes_;
    return shape;
  }

  std::optional<Sample> next() override {
    if (next_ == options_.num_samples) return std::nullopt;
    const std::int64_t index = next_++;
    const std::span<const Rectangle> rectangles = draw(index);
    std::fill(pixels_.begin(), pixels_.end(), static_cast<std::byte>(kBackground));
    std::size_t count = 0;
    for (const Rectangle& rectangle : rectangles) {
      paint(rectangle);
      describe(rectangle, count++);
    }
    add_noise(index, kDetectionNoise);
    Sample sample;
    sample.bytes = pixels_;
    sample.size = size();
    sample.sample_id = index;
    sample.boxes = {std::span(corners_).first(4 * count),
                    std::span(names_).first(count),
                    std::span(areas_).first(count),
                    std::span(crowd_).first(count)};
    return sample;
  }

 private:
  // One rectangle in each quadrant with probability 1/2, at least one; they never touch.
  std::span<const Rectangle> draw(std::int64_t index) {
    PhiloxStream random = stream_of(options_.seed, index, Draw::kContent);
    const auto forced = static_cast<std::int64_t>(random.below(kCells));
    const std::int64_t cell = options_.image_size / 2;
    std::size_t count = 0;
    for (std::int64_t quadrant = 0; quadrant < kCells; ++quadrant) {
      if (random.below(2) == 0 && quadrant != forced) continue;
      Rectangle& rectangle = rectangles_[count++];
      const auto [x0, x1] = draw_side(random, cell);
      const auto [y0, y1] = draw_side(random, cell);
      const std::int64_t left = quadrant % 2 * cell;
      const std::int64_t top = quadrant / 2 * cell;
      rectangle = {left + x0,
                   top + y0,
                   left + x1,
                   top + y1,
                   static_cast<std::int64_t>(
                       random.below(static_cast<std::uint64_t>(options_.num_classes)))};
    }
    return std::span(rectangles_).first(count);
  }

  // Begin and end inside a cell, with a pixel of background on both sides.
  static std::array<std::int64_t, 2> draw_side(PhiloxStream& random, std::int64_t cell) {
    const std::int64_t room = cell - 2;
    const std::int64_t least = std::max<std::int64_t>(2, cell / 4);
    const auto length = least + static_cast<std::int64_t>(
                                    random.below(static_cast<std::uint64_t>(room - least + 1)));
    const auto begin =
        1 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(room - length + 1)));
    return {begin, begin + length};
  }

  void paint(const Rectangle& rectangle) {
    const auto value = static_cast<std::byte>(kFirstFill + kFillStep * rectangle.name);
    for (std::int64_t y = rectangle.y0; y < rectangle.y1; ++y) {
      const std::int64_t begin = (y * options_.image_size + rectangle.x0) * options_.channels;
      std::fill_n(
          pixels_.begin() + begin, (rectangle.x1 - rectangle.x0) * options_.channels, value);
    }
  }

  void describe(const Rectangle& rectangle, std::size_t box) {
    const std::array<std::int64_t, 4> corners{
        rectangle.x0, rectangle.y0, rectangle.x1, rectangle.y1};
    for (std::size_t i = 0; i < 4; ++i) corners_[4 * box + i] = static_cast<float>(corners[i]);
    names_[box] = rectangle.name;
    areas_[box] = static_cast<float>((rectangle.x1 - rectangle.x0) * (rectangle.y1 - rectangle.y0));
  }

  std::int64_t num_boxes_ = 0;
  std::array<Rectangle, kCells> rectangles_;
  std::array<float, 4 * kCells> corners_{};
  std::array<std::int64_t, kCells> names_{};
  std::array<float, kCells> areas_{};
  std::array<std::uint8_t, kCells> crowd_{};
};

void check(const SyntheticOptions& options) {
  const auto require = [](bool good, const std::string& what) {
    if (!good) throw usage_error("synthetic data: " + what);
  };
  require(options.num_samples >= 1, "--num-samples must be at least 1");
  require(options.channels == 1 || options.channels == 3, "--channels must be 1 or 3");
  require(options.num_classes >= 1, "--classes must be at least 1");
  require(options.image_size >= 1 && options.image_size <= kMaxSide,
          format("--image-size must be between 1 and {}", kMaxSide));
  if (!options.detection) {
    require(options.num_classes <= kMaxSide * kMaxSide, "too many classes for any --image-size");
    const std::int64_t grid = synthetic_grid(options.num_classes);
    require(grid <= options.image_size,
            format("{} classes need --image-size of at least {}", options.num_classes, grid));
    return;
  }
  require(options.image_size >= kMinDetectionSide,
          format("detection needs --image-size of at least {}", kMinDetectionSide));
  require(options.num_classes <= kMaxDetectionClasses,
          format("detection has at most {} classes", kMaxDetectionClasses));
}

}  // namespace

std::int64_t synthetic_grid(std::int64_t num_classes) {
  std::int64_t grid = 1;
  while (grid * grid < num_classes) ++grid;
  return grid;
}

std::int64_t decode_synthetic(std::span<const std::byte> pixels, const SyntheticOptions& options) {
  const std::int64_t size = options.image_size;
  const std::int64_t grid = synthetic_grid(options.num_classes);
  const auto brightest = std::max_element(pixels.begin(), pixels.end()) - pixels.begin();
  const std::int64_t pixel = brightest / options.channels;
  return cell_of(pixel / size, grid, size) * grid + cell_of(pixel % size, grid, size);
}

std::unique_ptr<SampleSource> make_synthetic(const SyntheticOptions& options) {
  check(options);
  if (options.detection) return std::make_unique<DetectionSource>(options);
  return std::make_unique<ClassificationSource>(options);
}

}  // namespace lockstep::data
