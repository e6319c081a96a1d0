// What is encoded decodes to the same picture.
#include "data_fixture.h"
#include "image_fixture.h"

namespace lockstep::data {
namespace {

TEST(JpegEncoder, RoundTrip) {
  for (const std::int32_t channels : {1, 3}) {
    const Image picture = make_picture({45, 70}, channels);
    DecodeOptions options;
    options.channels = channels;
    const Bytes file = encode_jpeg(picture, 95);
    EXPECT_EQ(read_image_header(file).channels, channels);
    EXPECT_GT(ssim(decode_image(file, options).image, picture), 0.9);
  }
}

TEST(JpegEncoder, QualityCostsBytes) {
  const Image picture = make_picture({100, 100}, 3);
  EXPECT_LT(encode_jpeg(picture, 30).size() * 2, encode_jpeg(picture, 95).size());
  EXPECT_EQ(encode_jpeg(picture, 80), encode_jpeg(picture, 80));
}

TEST(JpegEncoder, PixelsMustFillTheImage) {
  Image picture = make_picture({8, 8}, 3);
  picture.pixels.pop_back();
  EXPECT_THROW(encode_jpeg(picture, 90), Error);
  picture.channels = 4;
  EXPECT_THROW(encode_jpeg(picture, 90), Error);
}

TEST(JpegEncoder, SidesThatTheFormatDoesNotHold) {
  const Image line{{1, 70000}, 1, std::vector<std::uint8_t>(70000)};
  expect_error(ExitCode::kBadData, {"JPEG: Maximum"}, [&] { encode_jpeg(line, 90); });
}

}  // namespace
}  // namespace lockstep::data
