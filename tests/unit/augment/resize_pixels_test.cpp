// The bilinear resize against its definition in double precision.
#include "resize_pixels.h"

#include "random_pixels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace lockstep::augment {
namespace {

// Place of an output pixel in the crop, pixel centres at half, held inside.
double place(std::int32_t at, std::int32_t size, std::int32_t out_size) {
  const double exact = (at + 0.5) * size / out_size - 0.5;
  return std::clamp(exact, 0.0, static_cast<double>(size - 1));
}

double resized(const std::vector<std::uint8_t>& pixels,
               const PassShape& shape,
               const SamplePlan& plan,
               std::int32_t c,
               std::int32_t y,
               std::int32_t x) {
  const double at_y = place(y, plan.crop_height, shape.height);
  const double at_x = place(x, plan.crop_width, shape.width);
  const auto pixel = [&](double row, double column) {
    const auto source_y = plan.crop_y + static_cast<std::int32_t>(row);
    const auto source_x = plan.crop_x + static_cast<std::int32_t>(column);
    return static_cast<double>(pixels[static_cast<std::size_t>(
        (source_y * shape.source_width + source_x) * shape.channels + c)]);
  };
  const double y0 = std::floor(at_y);
  const double x0 = std::floor(at_x);
  const double y1 = std::min(y0 + 1, plan.crop_height - 1.0);
  const double x1 = std::min(x0 + 1, plan.crop_width - 1.0);
  const double wy = at_y - y0;
  const double wx = at_x - x0;
  return (1 - wy) * ((1 - wx) * pixel(y0, x0) + wx * pixel(y0, x1)) +
         wy * ((1 - wx) * pixel(y1, x0) + wx * pixel(y1, x1));
}

SamplePlan crop(std::int32_t x, std::int32_t y, std::int32_t width, std::int32_t height) {
  SamplePlan plan;
  plan.crop_x = x;
  plan.crop_y = y;
  plan.crop_width = width;
  plan.crop_height = height;
  return plan;
}

void check_planes(const PassShape& shape, const SamplePlan& plan) {
  const auto pixels = random_pixels(shape);
  const float scale[4] = {0.017F, 0.02F, 0.011F, 0.01F};
  const float shift[4] = {-2.1F, -2.0F, 0.5F, 0.0F};
  std::vector<float> out(static_cast<std::size_t>(shape.channels * shape.height * shape.width),
                         -99.0F);
  PassMemory memory;
  resize_to_planes(pixels.data(), shape, plan, scale, shift, memory, out.data());
  std::size_t at = 0;
  for (std::int32_t c = 0; c < shape.channels; ++c) {
    for (std::int32_t y = 0; y < shape.height; ++y) {
      for (std::int32_t x = 0; x < shape.width; ++x) {
        const std::int32_t moved_x = x + plan.dx;
        const std::int32_t moved_y = y + plan.dy;
        const bool inside =
            moved_x >= 0 && moved_x < shape.width && moved_y >= 0 && moved_y < shape.height;
        const std::int32_t from_x = plan.flip != 0 ? shape.width - 1 - moved_x : moved_x;
        const double value = inside ? resized(pixels, shape, plan, c, moved_y, from_x) : 0.0;
        ASSERT_NEAR(out[at++], value * scale[c] + shift[c], 2e-5)
            << "c " << c << " y " << y << " x " << x;
      }
    }
  }
}

TEST(ResizeToPlanes, EnlargesReducesAndCrops) {
  check_planes({20, 30, 3, 40, 50}, crop(0, 0, 30, 20));
  check_planes({20, 30, 3, 11, 17}, crop(0, 0, 30, 20));
  check_planes({20, 30, 3, 16, 16}, crop(7, 3, 11, 13));
  check_planes({90, 300, 1, 20, 40}, crop(10, 5, 280, 80));
  check_planes({20, 30, 4, 16, 33}, crop(29, 19, 1, 1));
}

TEST(ResizeToPlanes, MovesAndMirrorsTheResult) {
  for (const std::int32_t flip : {0, 1}) {
    for (const std::int32_t dx : {-5, 0, 3, 100}) {
      for (const std::int32_t dy : {-4, 2, -100}) {
        SamplePlan plan = crop(2, 1, 20, 15);
        plan.flip = flip;
        plan.dx = dx;
        plan.dy = dy;
        check_planes({20, 30, 3, 18, 37}, plan);
      }
    }
  }
}

// Weights of bytes are rounded to 1 / 2048, values to whole ones.
TEST(ResizeToBytes, IsTheSameToHalfAValue) {
  const PassShape shape{20, 30, 3, 33, 21};
  const auto pixels = random_pixels(shape);
  const SamplePlan plan = crop(3, 2, 25, 16);
  std::vector<std::uint8_t> bytes(33 * 21 * 3);
  PassMemory memory;
  resize_to_bytes(pixels.data(), shape, plan, memory, bytes.data());
  std::size_t at = 0;
  for (std::int32_t y = 0; y < shape.height; ++y) {
    for (std::int32_t x = 0; x < shape.width; ++x) {
      for (std::int32_t c = 0; c < 3; ++c) {
        const double want = resized(pixels, shape, plan, c, y, x);
        // By the arithmetic that the device has.
        const AxisPosition row = axis_position(y, 2, 16, shape.height);
        const AxisPosition column = axis_position(x, 3, 25, shape.width);
        const auto pixel = [&](std::int32_t source_y, std::int32_t source_x) {
          return pixels[static_cast<std::size_t>((source_y * 30 + source_x) * 3 + c)];
        };
        EXPECT_EQ(bytes[at],
                  bilinear_byte(pixel(row.first, column.first),
                                pixel(row.first, column.second),
                                pixel(row.second, column.first),
                                pixel(row.second, column.second),
                                byte_weight(column),
                                byte_weight(row)));
        ASSERT_NEAR(bytes[at++], want, 0.5 + 255.0 / 2048) << "y " << y << " x " << x;
      }
    }
  }
}

TEST(ResizeToBytes, CopiesACropOfTheSameSize) {
  const PassShape shape{4, 5, 1, 2, 3};
  std::vector<std::uint8_t> pixels(20);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i);
  std::vector<std::uint8_t> bytes(6);
  PassMemory memory;
  resize_to_bytes(pixels.data(), shape, crop(1, 2, 3, 2), memory, bytes.data());
  EXPECT_EQ(bytes, (std::vector<std::uint8_t>{11, 12, 13, 16, 17, 18}));
}

TEST(FillAxis, AgreesWithThePositionOfEachPixel) {
  AxisTable table;
  fill_axis(50, 33, 4, true, {0, 29}, table);
  ASSERT_EQ(table.first.size(), 29U);
  for (std::int32_t i = 0; i < 29; ++i) {
    const AxisPosition want = axis_position(33 - 1 - (i + 4), 0, 50, 33);
    const auto at = static_cast<std::size_t>(i);
    EXPECT_EQ(table.first[at], want.first);
    EXPECT_EQ(table.second[at], want.second);
    EXPECT_EQ(table.weight[at], weight_of(want));
  }
}

}  // namespace
}  // namespace lockstep::augment
