// Operations on bytes against their definitions; tests/oracle compares them with the Python Imaging
// Library.
#include "image_ops.h"

#include "pixel_tables.h"

#include <lockstep/base/random.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace lockstep::augment {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes random_image(const ImageShape& shape, std::uint64_t limit = 256) {
  PhiloxStream random(3, 9);
  Bytes image(static_cast<std::size_t>(shape.height * shape.width * shape.channels));
  for (auto& byte : image) byte = static_cast<std::uint8_t>(random.below(limit));
  return image;
}

PixelOp make(PixelOpKind kind, float value = 0) {
  PixelOp op;
  op.kind = kind;
  op.value = value;
  return op;
}

Bytes apply(const std::vector<PixelOp>& ops, const ImageShape& shape, Bytes image) {
  Bytes scratch(image.size());
  const std::uint8_t* const result =
      apply_ops(ops.data(), std::ssize(ops), shape, image.data(), scratch.data());
  return result == image.data() ? image : scratch;
}

int clip(double value) { return static_cast<int>(std::clamp(value, 0.0, 255.0)); }

constexpr ImageShape kColour{7, 9, 3};
constexpr ImageShape kGrey{7, 9, 1};

TEST(ImageOps, IdentityAndFactorOneChangeNothing) {
  const Bytes image = random_image(kColour);
  EXPECT_EQ(apply({make(PixelOpKind::kIdentity)}, kColour, image), image);
  for (const PixelOpKind kind : {PixelOpKind::kBrightness,
                                 PixelOpKind::kContrast,
                                 PixelOpKind::kSaturation,
                                 PixelOpKind::kSharpness}) {
    EXPECT_EQ(apply({make(kind, 1.0F)}, kColour, image), image);
  }
  EXPECT_EQ(apply({make(PixelOpKind::kPosterize, 8)}, kColour, image), image);
  EXPECT_EQ(apply({make(PixelOpKind::kSolarize, 256)}, kColour, image), image);
  EXPECT_EQ(apply({make(PixelOpKind::kHue, 0)}, kColour, image), image);
}

TEST(ImageOps, BlendsWithBlackMeanGreyAndGrey) {
  const Bytes image = random_image(kColour);
  const Bytes bright = apply({make(PixelOpKind::kBrightness, 1.5F)}, kColour, image);
  const Bytes flat = apply({make(PixelOpKind::kContrast, 0.25F)}, kColour, image);
  const Bytes pale = apply({make(PixelOpKind::kSaturation, 0.5F)}, kColour, image);
  double sum = 0;
  const auto grey = [&](std::size_t i) {
    return (image[i] * 19595 + image[i + 1] * 38470 + image[i + 2] * 7471 + 32768) / 65536;
  };
  for (std::size_t i = 0; i < image.size(); i += 3) sum += grey(i);
  const double mean = std::floor(sum / 63 + 0.5);
  for (std::size_t i = 0; i < image.size(); ++i) {
    EXPECT_EQ(bright[i], clip(1.5 * image[i]));
    EXPECT_EQ(flat[i], clip(mean + 0.25 * (image[i] - mean)));
    const int own = grey(i - i % 3);
    EXPECT_EQ(pale[i], clip(own + 0.5 * (image[i] - own)));
  }
}

TEST(ImageOps, FactorsOutsideZeroToOneAreClipped) {
  const Bytes image{0, 100, 200, 255, 30, 60};
  const ImageShape shape{1, 2, 3};
  EXPECT_EQ(apply({make(PixelOpKind::kBrightness, 2)}, shape, image),
            (Bytes{0, 200, 255, 255, 60, 120}));
  EXPECT_EQ(apply({make(PixelOpKind::kSaturation, 0)}, {1, 1, 3}, {255, 0, 0}),
            (Bytes{76, 76, 76}));
}

TEST(ImageOps, SharpnessBlendsWithTheSmoothedAndKeepsTheEdge) {
  const Bytes image = random_image(kGrey);
  const Bytes blurred = apply({make(PixelOpKind::kSharpness, 0)}, kGrey, image);
  for (int y = 0; y < kGrey.height; ++y) {
    for (int x = 0; x < kGrey.width; ++x) {
      const auto at = [&](int row, int column) {
        return static_cast<double>(image[static_cast<std::size_t>(row * 9 + column)]);
      };
      double want = at(y, x);
      if (y > 0 && x > 0 && y < 6 && x < 8) {
        double sum = 4 * at(y, x);
        for (int dy = -1; dy <= 1; ++dy) {
          for (int dx = -1; dx <= 1; ++dx) sum += at(y + dy, x + dx);
        }
        want = std::floor(sum / 13 + 0.5);
      }
      EXPECT_EQ(blurred[static_cast<std::size_t>(y * 9 + x)], want) << y << " " << x;
    }
  }
}

TEST(ImageOps, PosterizeAndSolarize) {
  const Bytes image{0, 127, 128, 200, 255, 16};
  const ImageShape shape{1, 6, 1};
  EXPECT_EQ(apply({make(PixelOpKind::kPosterize, 2)}, shape, image),
            (Bytes{0, 64, 128, 192, 192, 0}));
  EXPECT_EQ(apply({make(PixelOpKind::kSolarize, 128)}, shape, image),
            (Bytes{0, 127, 127, 55, 0, 16}));
}

TEST(ImageOps, AutocontrastSpreadsEachChannelByItself) {
  // 5.1 * 100 - 255 is a little less than 255 in doubles, and cut, as the Imaging Library has it.
  EXPECT_EQ(apply({make(PixelOpKind::kAutocontrast)}, {1, 3, 1}, {50, 75, 100}),
            (Bytes{0, 127, 254}));
  // A channel of one value stays.
  EXPECT_EQ(apply({make(PixelOpKind::kAutocontrast)}, {1, 2, 3}, {10, 7, 0, 20, 7, 255}),
            (Bytes{0, 7, 0, 255, 7, 255}));
}

TEST(ImageOps, EqualizeMakesValuesUniform) {
  const ImageShape shape{64, 64, 1};
  const Bytes image = random_image(shape, 64);
  const Bytes equal = apply({make(PixelOpKind::kEqualize)}, shape, image);
  const double mean =
      std::accumulate(equal.begin(), equal.end(), 0.0) / static_cast<double>(equal.size());
  EXPECT_NEAR(mean, 127, 10);
  EXPECT_EQ(*std::ranges::min_element(equal), 0);
  EXPECT_GE(*std::ranges::max_element(equal), 250);
  // Fewer pixels than values: nothing can be spread.
  EXPECT_EQ(apply({make(PixelOpKind::kEqualize)}, {1, 3, 1}, {9, 10, 11}), (Bytes{9, 10, 11}));
}

TEST(ImageOps, HueTurnsTheColourCircle) {
  const ImageShape one{1, 1, 3};
  const auto turned = [&](float turn, const Bytes& colour) {
    return apply({make(PixelOpKind::kHue, turn)}, one, colour);
  };
  EXPECT_EQ(turned(1.0F / 3, {255, 0, 0}), (Bytes{0, 255, 0}));
  EXPECT_EQ(turned(-1.0F / 3, {255, 0, 0}), (Bytes{0, 0, 255}));
  EXPECT_EQ(turned(0.5F, {200, 100, 100}), (Bytes{100, 200, 200}));
  EXPECT_EQ(turned(0.25F, {80, 80, 80}), (Bytes{80, 80, 80}));
  // There and back.
  const Bytes image = random_image(kColour);
  const Bytes back =
      apply({make(PixelOpKind::kHue, 0.3F), make(PixelOpKind::kHue, -0.3F)}, kColour, image);
  for (std::size_t i = 0; i < image.size(); ++i) EXPECT_NEAR(back[i], image[i], 2);
}

TEST(ImageOps, ColourLeavesGreyImagesAlone) {
  const Bytes image = random_image(kGrey);
  EXPECT_EQ(apply({make(PixelOpKind::kSaturation, 0), make(PixelOpKind::kHue, 0.5F)}, kGrey, image),
            image);
}

TEST(ImageOps, AffineTakesTheNearestPixelAndBlackOutside) {
  PixelOp right = make(PixelOpKind::kAffine);  // by one pixel
  const std::int32_t one = 1 << 16;
  const std::int32_t half = 1 << 15;
  const std::int32_t matrix[6] = {one, 0, half - one, 0, one, half};
  std::copy_n(matrix, 6, right.matrix);
  EXPECT_EQ(apply({right}, {2, 3, 1}, {1, 2, 3, 4, 5, 6}), (Bytes{0, 1, 2, 0, 4, 5}));
  PixelOp turned = make(PixelOpKind::kAffine);  // by a half turn
  const std::int32_t half_turn[6] = {-one, 0, 3 * one - half, 0, -one, 2 * one - half};
  std::copy_n(half_turn, 6, turned.matrix);
  EXPECT_EQ(apply({turned}, {2, 3, 1}, {1, 2, 3, 4, 5, 6}), (Bytes{6, 5, 4, 3, 2, 1}));
  // Two in a row end where they began.
  EXPECT_EQ(apply({turned, turned}, {2, 3, 1}, {1, 2, 3, 4, 5, 6}), (Bytes{1, 2, 3, 4, 5, 6}));
}

}  // namespace
}  // namespace lockstep::augment
