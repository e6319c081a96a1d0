// The host pass of one sample against the plain definition, pixel by pixel.
#include "transform_pixels.h"

#include "random_pixels.h"

#include <lockstep/base/random.h>

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lockstep::augment {
namespace {

constexpr Normalisation kNormalisation{{0.017F, 0.02F, 0.011F, 0.3F}, {-2.1F, -2.0F, 0.5F, 0.1F}};

// Of an image that keeps its size.
PassShape square(std::int32_t height, std::int32_t width, std::int32_t channels) {
  return {height, width, channels, height, width};
}

SamplePlan move(const PassShape& shape, std::int32_t dx, std::int32_t dy, bool flip) {
  SamplePlan plan;
  plan.dx = dx;
  plan.dy = dy;
  plan.flip = flip ? 1 : 0;
  plan.crop_width = shape.width;
  plan.crop_height = shape.height;
  return plan;
}

std::vector<float> transformed(const std::vector<std::uint8_t>& pixels,
                               const PassShape& shape,
                               const SamplePlan& plan,
                               const std::vector<PixelOp>& ops = {}) {
  std::vector<float> out(static_cast<std::size_t>(shape.channels * shape.height * shape.width),
                         -99.0F);
  PassMemory memory;
  transform_sample(pixels.data(), shape, plan, ops, kNormalisation, memory, out.data());
  return out;
}

void check(const PassShape& shape, const SamplePlan& plan) {
  const auto pixels = random_pixels(shape);
  const auto out = transformed(pixels, shape, plan);
  std::size_t at = 0;
  for (std::int32_t c = 0; c < shape.channels; ++c) {
    for (std::int32_t y = 0; y < shape.height; ++y) {
      for (std::int32_t x = 0; x < shape.width; ++x) {
        const std::int32_t sx = x + plan.dx;
        const std::int32_t sy = y + plan.dy;
        double pixel = 0;
        if (sx >= 0 && sx < shape.width && sy >= 0 && sy < shape.height) {
          const std::int32_t from = plan.flip != 0 ? shape.width - 1 - sx : sx;
          pixel = pixels[static_cast<std::size_t>(
              ((sy + plan.crop_y) * shape.source_width + from + plan.crop_x) * shape.channels + c)];
        }
        const double want = pixel * kNormalisation.scale[c] + kNormalisation.shift[c];
        ASSERT_NEAR(out[at++], want, 1e-5) << "c " << c << " y " << y << " x " << x;
      }
    }
  }
}

TEST(TransformSample, PlainPassOfOneToFourChannels) {
  for (std::int32_t channels = 1; channels <= 4; ++channels) {
    const PassShape shape = square(5, 7, channels);
    check(shape, move(shape, 0, 0, false));
  }
  check(square(28, 28, 1), move(square(28, 28, 1), 0, 0, false));
}

TEST(TransformSample, FlipsAndShiftsInEveryDirection) {
  for (const std::int32_t channels : {1, 3}) {
    const PassShape shape = square(20, 37, channels);
    for (const bool flip : {false, true}) {
      for (const std::int32_t dx : {-3, 0, 2, 36}) {
        for (const std::int32_t dy : {-2, 0, 5}) check(shape, move(shape, dx, dy, flip));
      }
    }
  }
}

TEST(TransformSample, ShiftPastTheImageLeavesOnlyTheFill) {
  for (const std::int32_t channels : {1, 3}) {
    const PassShape shape = square(4, 4, channels);
    check(shape, move(shape, 9, 0, false));
    check(shape, move(shape, 0, -9, true));
  }
}

TEST(TransformSample, CropsWithoutAResize) {
  const PassShape shape{20, 40, 3, 11, 23};
  SamplePlan plan = move(shape, 0, 0, false);
  plan.crop_x = 13;
  plan.crop_y = 6;
  check(shape, plan);
  plan.flip = 1;
  plan.dx = -2;
  check(shape, plan);
}

// Resizing by itself is tested in resize_pixels_test.cpp; here, that operations see rounded bytes.
TEST(TransformSample, OperationsComeAfterTheResizeAndBeforeTheMove) {
  const PassShape shape{10, 14, 3, 8, 8};
  const auto pixels = random_pixels(shape);
  SamplePlan plan = move(shape, 1, 0, true);
  plan.crop_width = 14;
  plan.crop_height = 10;
  std::vector<std::uint8_t> bytes(8 * 8 * 3);
  PassMemory memory;
  resize_to_bytes(pixels.data(), shape, plan, memory, bytes.data());
  for (auto& byte : bytes) byte &= 0xF0;
  PixelOp posterize;
  posterize.kind = PixelOpKind::kPosterize;
  posterize.value = 4;
  const PassShape same = square(8, 8, 3);
  EXPECT_EQ(transformed(pixels, shape, plan, {posterize}),
            transformed(bytes, same, move(same, 1, 0, true)));
}

TEST(TransformSample, ErasesToZeroAfterEverythingElse) {
  const PassShape shape = square(8, 9, 3);
  const auto pixels = random_pixels(shape);
  SamplePlan plan = move(shape, 2, 0, true);
  const auto before = transformed(pixels, shape, plan);
  plan.erase_x0 = 2;
  plan.erase_x1 = 6;
  plan.erase_y0 = 3;
  plan.erase_y1 = 8;
  const auto after = transformed(pixels, shape, plan);
  for (std::size_t i = 0; i < after.size(); ++i) {
    const std::size_t x = i % 9;
    const std::size_t y = i / 9 % 8;
    const bool inside = x >= 2 && x < 6 && y >= 3 && y < 8;
    EXPECT_EQ(after[i], inside ? 0.0F : before[i]);
  }
}

TEST(TransformSample, NoiseIsNormalAndBelongsToItsKey) {
  const PassShape shape = square(100, 101, 3);
  const auto pixels = random_pixels(shape);
  SamplePlan plan = move(shape, 0, 0, false);
  plan.erase_x1 = 101;
  plan.erase_y1 = 100;
  plan.erase_noise = 1;
  plan.erase_key = 12345;
  const auto noise = transformed(pixels, shape, plan);
  double sum = 0;
  double squares = 0;
  double fourth = 0;
  double products = 0;
  for (std::size_t i = 0; i < noise.size(); ++i) {
    const double value = noise[i];
    sum += value;
    squares += value * value;
    fourth += value * value * value * value;
    products += value * static_cast<double>(noise[(i + 100 * 101) % noise.size()]);
  }
  const auto count = static_cast<double>(noise.size());
  EXPECT_NEAR(sum / count, 0, 0.02);
  EXPECT_NEAR(squares / count, 1, 0.03);
  EXPECT_NEAR(fourth / count, 3, 0.2);
  EXPECT_NEAR(products / count, 0, 0.02);  // channels have noise of their own
  EXPECT_EQ(noise, transformed(pixels, shape, plan));
  plan.erase_key = 12346;
  EXPECT_NE(noise, transformed(pixels, shape, plan));
}

TEST(PhiloxWords, AreThoseOfBase) {
  std::uint32_t words[4];
  philox_words(0x123456789ABCDEF0, 0xFEDCBA9876543210, words);
  const auto want = philox(0x123456789ABCDEF0, 0xFEDCBA9876543210, 0);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(words[i], want[i]);
}

TEST(MixPair, BlendsOrSwapsABox) {
  const PassShape shape = square(2, 3, 1);
  std::vector<float> one{0, 1, 2, 3, 4, 5};
  std::vector<float> other{10, 20, 30, 40, 50, 60};
  SamplePlan plan;
  plan.lambda = 0.75F;
  mix_pair(plan, shape, one.data(), other.data());
  EXPECT_EQ(one, (std::vector<float>{2.5F, 5.75F, 9, 12.25F, 15.5F, 18.75F}));
  EXPECT_EQ(other, (std::vector<float>{7.5F, 15.25F, 23, 30.75F, 38.5F, 46.25F}));
  plan.box_x0 = 1;
  plan.box_x1 = 3;
  plan.box_y1 = 1;
  std::vector<float> left{0, 1, 2, 3, 4, 5};
  std::vector<float> right{10, 20, 30, 40, 50, 60};
  mix_pair(plan, shape, left.data(), right.data());
  EXPECT_EQ(left, (std::vector<float>{0, 20, 30, 3, 4, 5}));
  EXPECT_EQ(right, (std::vector<float>{10, 1, 2, 40, 50, 60}));
}

}  // namespace
}  // namespace lockstep::augment
