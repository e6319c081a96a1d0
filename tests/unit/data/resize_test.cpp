// Resizing against the filter's definition in double precision.
#include "data_fixture.h"
#include "image_fixture.h"

#include <cmath>

namespace lockstep::data {
namespace {

// One axis of the triangle filter: shares of the source's pixels in pixel i of the result.
std::vector<double> shares(double begin, double end, int size, int i) {
  const double step = (end - begin) / size;
  const double support = std::max(step, 1.0);
  const double center = begin + (i + 0.5) * step;
  std::vector<double> weights(static_cast<std::size_t>(std::ceil(end)), 0.0);
  double total = 0;
  for (auto k = static_cast<std::size_t>(std::floor(begin)); k < weights.size(); ++k) {
    weights[k] = std::max(0.0, 1 - std::abs((static_cast<double>(k) + 0.5 - center) / support));
    total += weights[k];
  }
  for (double& weight : weights) weight /= total;
  return weights;
}

double worst_error(const Image& image, const Region& region, ImageSize to) {
  const Image out = resized(image, region, to);
  double worst = 0;
  for (int y = 0; y < to.height; ++y) {
    const auto rows = shares(region.y0, region.y1, to.height, y);
    for (int x = 0; x < to.width; ++x) {
      const auto columns = shares(region.x0, region.x1, to.width, x);
      for (int c = 0; c < image.channels; ++c) {
        double expected = 0;
        for (std::size_t v = 0; v < rows.size(); ++v) {
          if (rows[v] == 0) continue;
          double row = 0;
          for (std::size_t u = 0; u < columns.size(); ++u) {
            row += columns[u] * image.pixels[(v * static_cast<std::size_t>(image.size.width) + u) *
                                                 static_cast<std::size_t>(image.channels) +
                                             static_cast<std::size_t>(c)];
          }
          expected += rows[v] * row;
        }
        const auto at = static_cast<std::size_t>((y * to.width + x) * image.channels + c);
        worst = std::max(worst, std::abs(expected - out.pixels[at]));
      }
    }
  }
  return worst;
}

TEST(Resize, FollowsTheDefinition) {
  for (const std::int32_t channels : {1, 3}) {
    const Image image = make_picture({61, 83}, channels);
    for (const Region region : {Region{0, 0, 83, 61},
                                Region{3, 5, 70, 44},
                                Region{10.25F, 7.5F, 60.75F, 41.125F},
                                Region{82, 60, 83, 61}}) {
      for (const ImageSize to :
           {ImageSize{16, 16}, ImageSize{7, 33}, ImageSize{90, 120}, ImageSize{1, 1}}) {
        EXPECT_LE(worst_error(image, region, to), 1.0) << to.height << " from " << region.x0;
      }
    }
  }
}

TEST(Resize, SameSizeIsTheSamePixels) {
  const Image image = make_picture({37, 41}, 3);
  EXPECT_EQ(resized(image, {0, 0, 41, 37}, {37, 41}).pixels, image.pixels);
  EXPECT_EQ(resized(image, {4, 2, 20, 19}, {17, 16}).pixels, cut(image, {4, 2, 20, 19}).pixels);
}

TEST(Resize, FlatAreasKeepTheirValue) {
  for (const int value : {0, 1, 77, 254, 255}) {
    const Image image{
        {300, 1000}, 1, std::vector<std::uint8_t>(300'000, static_cast<std::uint8_t>(value))};
    for (const ImageSize to :
         {ImageSize{1, 1}, ImageSize{2, 3}, ImageSize{50, 224}, ImageSize{400, 1100}}) {
      for (const std::uint8_t out : resized(image, {0, 0, 1000, 300}, to).pixels)
        ASSERT_EQ(out, value);
    }
  }
}

TEST(Resize, ReductionsDoNotAlias) {
  // Stripes of one pixel become their mean, not one of the two.
  Image image{{64, 64}, 1, {}};
  for (int i = 0; i < 64 * 64; ++i) image.pixels.push_back(i % 2 == 0 ? 0 : 200);
  for (const std::uint8_t value : resized(image, {0, 0, 64, 64}, {8, 8}).pixels) {
    EXPECT_NEAR(value, 100, 8);
  }
}

TEST(Resize, PixelsOutsideTheRegionHaveNoPart) {
  Image image = make_picture({40, 40}, 3);
  const Region region{10, 10, 30, 30};
  const Image before = resized(image, region, {9, 9});
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    const std::size_t x = i / 3 % 40;
    const std::size_t y = i / 120;
    if (x < 10 || x >= 30 || y < 10 || y >= 30) image.pixels[i] = 255;
  }
  EXPECT_EQ(resized(image, region, {9, 9}).pixels, before.pixels);
}

TEST(Resize, RequirementsAreChecked) {
  const Image image = make_picture({10, 10}, 3);
  const auto refused = [&](const Region& region, ImageSize to) {
    expect_error(ExitCode::kInternal, {}, [&] {
      std::vector<std::uint8_t> out(300);
      resize_region(image.pixels, image.size, 3, region, to, out);
    });
  };
  refused({0, 0, 11, 10}, {5, 5});
  refused({-1, 0, 10, 10}, {5, 5});
  refused({5, 5, 5, 10}, {5, 5});
  refused({0, 0, 10, 10}, {0, 5});
  refused({0, 0, 10, 10}, {20, 20});
}

}  // namespace
}  // namespace lockstep::data
