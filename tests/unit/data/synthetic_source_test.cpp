// Synthetic images: seeded, decodable without error, boxes exactly where the pixels are.
#include "data_fixture.h"

#include <algorithm>
#include <set>

namespace lockstep::data {
namespace {

std::vector<std::byte> copy(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

TEST(SyntheticSource, ClassIsDecodableForManyShapes) {
  for (const auto& [size, classes, channels] :
       {std::tuple{16, 3, 1}, {32, 10, 3}, {33, 100, 1}, {7, 49, 3}, {224, 1000, 3}, {1, 1, 1}}) {
    SyntheticOptions options;
    options.num_samples = 50;
    options.image_size = size;
    options.num_classes = classes;
    options.channels = channels;
    const auto source = make_synthetic(options);
    for (std::int64_t i = 0; i < options.num_samples; ++i) {
      const Sample sample = source->next().value();
      ASSERT_EQ(decode_synthetic(sample.bytes, options), sample.label);
      ASSERT_LT(sample.label, classes);
    }
  }
}

TEST(SyntheticSource, SeedDecidesAndClassesAreBalanced) {
  SyntheticOptions options = small_options(900);
  const auto a = make_synthetic(options);
  const auto b = make_synthetic(options);
  options.seed = 8;
  const auto c = make_synthetic(options);
  std::vector<int> counts(3);
  std::set<std::vector<std::byte>> different;
  int same_as_other_seed = 0;
  for (std::int64_t i = 0; i < 900; ++i) {
    const Sample sample = a->next().value();
    ++counts[static_cast<std::size_t>(sample.label)];
    different.insert(copy(sample.bytes));
    EXPECT_EQ(copy(sample.bytes), copy(b->next().value().bytes));
    same_as_other_seed += copy(sample.bytes) == copy(c->next().value().bytes) ? 1 : 0;
  }
  EXPECT_EQ(different.size(), 900U);
  EXPECT_EQ(same_as_other_seed, 0);
  for (const int count : counts) EXPECT_NEAR(count, 300, 75);
}

TEST(SyntheticSource, BoxesAreExactlyWhereTheFillIs) {
  SyntheticOptions options;
  options.num_samples = 60;
  options.image_size = 40;
  options.num_classes = 32;
  options.channels = 3;
  options.detection = true;
  const auto source = make_synthetic(options);
  std::int64_t boxes_seen = 0;
  for (std::int64_t i = 0; i < options.num_samples; ++i) {
    const Sample sample = source->next().value();
    ASSERT_GE(sample.boxes.classes.size(), 1U);
    std::int64_t filled = 0;
    for (std::size_t box = 0; box < sample.boxes.classes.size(); ++box) {
      const auto corners = sample.boxes.corners.subspan(4 * box, 4);
      for (auto y = static_cast<std::int64_t>(corners[1]);
           y < static_cast<std::int64_t>(corners[3]);
           ++y) {
        for (auto x = static_cast<std::int64_t>(corners[0]);
             x < static_cast<std::int64_t>(corners[2]);
             ++x) {
          const int value =
              std::to_integer<int>(sample.bytes[static_cast<std::size_t>((y * 40 + x) * 3)]);
          ASSERT_EQ((value - 64 + 3) / 6, sample.boxes.classes[box]);
          ++filled;
        }
      }
      EXPECT_EQ(sample.boxes.areas[box], (corners[2] - corners[0]) * (corners[3] - corners[1]));
      EXPECT_GT(sample.boxes.areas[box], 0);
      ++boxes_seen;
    }
    std::int64_t bright = 0;
    for (std::size_t p = 0; p < sample.bytes.size(); p += 3) {
      bright += std::to_integer<int>(sample.bytes[p]) > 40 ? 1 : 0;
    }
    EXPECT_EQ(bright, filled);
  }
  EXPECT_EQ(source->shape().num_boxes, boxes_seen);
}

TEST(SyntheticSource, ImpossibleSizesAreUsageErrors) {
  const auto refused = [](const char* flag, const std::function<void(SyntheticOptions&)>& change) {
    SyntheticOptions options = small_options(4);
    change(options);
    expect_error(ExitCode::kUsage, {flag}, [&] { make_synthetic(options); });
  };
  refused("--num-samples", [](SyntheticOptions& o) { o.num_samples = 0; });
  refused("--image-size", [](SyntheticOptions& o) { o.image_size = 0; });
  refused("--image-size", [](SyntheticOptions& o) { o.num_classes = 1000; });
  refused("--image-size", [](SyntheticOptions& o) { o.num_classes = INT64_MAX; });
  refused("--channels", [](SyntheticOptions& o) { o.channels = 2; });
  refused("--classes", [](SyntheticOptions& o) { o.num_classes = 0; });
  refused("--image-size", [](SyntheticOptions& o) {
    o.detection = true;
    o.image_size = 8;
  });
  refused("classes", [](SyntheticOptions& o) {
    o.detection = true;
    o.num_classes = 33;
  });
}

}  // namespace
}  // namespace lockstep::data
