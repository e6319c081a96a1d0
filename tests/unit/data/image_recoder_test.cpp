// What one picture file becomes, for every encoding and size.
#include "image_recoder.h"

#include "data_fixture.h"
#include "image_fixture.h"

namespace lockstep::data {
namespace {

ImageImportOptions raw(std::int64_t size = 0, std::int32_t channels = 3) {
  ImageImportOptions options;
  options.image_size = size;
  options.channels = channels;
  return options;
}

ImageImportOptions jpeg(std::int64_t max_side = 0) {
  ImageImportOptions options;
  options.encoding = "jpeg";
  options.max_side = max_side;
  return options;
}

TEST(ImageRecoder, RawKeepsSizeAndPixels) {
  const Image picture = make_picture({30, 44}, 3);
  const RecodedImage recoded = recode_image(make_png(picture), false, raw());
  EXPECT_EQ(recoded.pixels.pixels, picture.pixels);
  EXPECT_EQ(recoded.size, picture.size);
  EXPECT_EQ(recoded.original, picture.size);
  EXPECT_TRUE(recoded.file.empty());
  EXPECT_EQ(recode_image(make_png(picture), false, raw(0, 1)).pixels.pixels.size(), 30U * 44U);
}

TEST(ImageRecoder, TheCentreIsCutOutForClasses) {
  const Image picture = make_picture({60, 100}, 3);
  const RecodedImage recoded = recode_image(make_png(picture), false, raw(20));
  EXPECT_EQ(recoded.size, (ImageSize{20, 20}));
  EXPECT_EQ(recoded.pixels.pixels, resized(picture, {20, 0, 80, 60}, {20, 20}).pixels);
}

TEST(ImageRecoder, EverythingStaysForBoxesAndTheRestIsBlack) {
  const Image picture = make_picture({60, 100}, 3);
  const RecodedImage recoded = recode_image(make_png(picture), true, raw(50));
  EXPECT_EQ(recoded.size, (ImageSize{50, 50}));
  EXPECT_FLOAT_EQ(recoded.scale_x, 0.5F);
  EXPECT_FLOAT_EQ(recoded.scale_y, 0.5F);
  EXPECT_EQ(cut(recoded.pixels, {0, 0, 50, 30}).pixels,
            resized(picture, {0, 0, 100, 60}, {30, 50}).pixels);
  for (const std::uint8_t value : cut(recoded.pixels, {0, 30, 50, 50}).pixels) ASSERT_EQ(value, 0);
}

TEST(ImageRecoder, ScalesAreThoseOfTheRoundedSize) {
  const RecodedImage recoded = recode_image(make_png(make_picture({7, 100}, 1)), true, raw(50, 1));
  EXPECT_FLOAT_EQ(recoded.scale_x, 0.5F);
  EXPECT_FLOAT_EQ(recoded.scale_y, 4.0F / 7);
  const RecodedImage line = recode_image(make_png(make_picture({1, 100}, 1)), true, raw(10, 1));
  EXPECT_FLOAT_EQ(line.scale_y, 1.0F);
}

TEST(ImageRecoder, LargeJpegsAreReducedOnTheWay) {
  const Image picture = make_picture({480, 640}, 3);
  const Bytes file = make_jpeg(picture);
  const RecodedImage recoded = recode_image(file, false, raw(64));
  const Image whole = decode_image(file).image;
  EXPECT_GE(ssim(recoded.pixels, resized(whole, {80, 0, 560, 480}, {64, 64})), 0.98);
}

TEST(ImageRecoder, JpegBytesAreKept) {
  const Bytes file = make_jpeg(make_picture({70, 90}, 3));
  for (const std::int64_t max_side : {0, 90, 91}) {
    const RecodedImage recoded = recode_image(file, true, jpeg(max_side));
    EXPECT_EQ(recoded.file, file);
    EXPECT_EQ(recoded.size, (ImageSize{70, 90}));
    EXPECT_EQ(recoded.pixels.pixels, decode_image(file).image.pixels);
  }
}

TEST(ImageRecoder, LargerJpegsAndPngsAreEncodedAgain) {
  const Bytes file = make_jpeg(make_picture({70, 90}, 3));
  const RecodedImage smaller = recode_image(file, true, jpeg(45));
  EXPECT_EQ(smaller.size, (ImageSize{35, 45}));
  EXPECT_EQ(read_image_header(smaller.file).size, smaller.size);
  EXPECT_FLOAT_EQ(smaller.scale_x, 0.5F);
  const RecodedImage png = recode_image(make_png(make_picture({20, 30}, 3)), true, jpeg());
  EXPECT_EQ(read_image_header(png.file).format, ImageFormat::kJpeg);
  EXPECT_EQ(png.size, (ImageSize{20, 30}));
}

TEST(ImageRecoder, DamagedJpegsAreNotKept) {
  Bytes file = make_jpeg(make_picture({70, 90}, 3));
  file.resize(file.size() - 200);
  expect_error(ExitCode::kBadData, {"JPEG"}, [&] { recode_image(file, true, jpeg()); });
}

}  // namespace
}  // namespace lockstep::data
