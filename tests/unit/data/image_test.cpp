// Which decoder a file goes to.
#include "data_fixture.h"
#include "image_checks.h"
#include "image_fixture.h"

namespace lockstep::data {
namespace {

TEST(Image, TheContentDecidesNotTheName) {
  const Image picture = make_picture({12, 9}, 3);
  EXPECT_EQ(read_image_header(make_jpeg(picture)).format, ImageFormat::kJpeg);
  EXPECT_EQ(read_image_header(make_png(picture)).format, ImageFormat::kPng);
  EXPECT_EQ(decode_image(make_png(picture)).image.pixels, picture.pixels);
}

TEST(Image, OtherFilesAreRefused) {
  for (const std::string start : {"", "G", "GIF89a.....", "BM......", "RIFF....WEBP", "\xFF\xD8"}) {
    Bytes file;
    for (const char c : start) file.push_back(static_cast<std::byte>(c));
    expect_error(ExitCode::kBadData, {}, [&] { read_image_header(file); });
    expect_error(ExitCode::kBadData, {}, [&] { decode_image(file); });
  }
}

TEST(Image, OnlyOneOrThreeChannelsAreGiven) {
  DecodeOptions options;
  options.channels = 4;
  expect_error(ExitCode::kInternal, {"1 or 3"}, [&] {
    decode_image(make_png(make_picture({2, 2}, 3)), options);
  });
}

TEST(Image, SizesAreHeldAgainstLimitAndFile) {
  ImageHeader header;
  header.size = {100, 200};
  EXPECT_NO_THROW(check_image_size(header, 50, 50, {}));
  EXPECT_THROW(check_image_size(header, 51, 50, {}), Error);
  EXPECT_THROW(check_image_size(header, 0, 50, {19'999, 1}), Error);
  header.size = {0, 200};
  EXPECT_THROW(check_image_size(header, 0, 50, {}), Error);
}

TEST(Image, LumaOfGreyIsGrey) {
  for (int value = 0; value < 256; ++value) {
    const auto grey = static_cast<std::uint8_t>(value);
    EXPECT_EQ(luma(grey, grey, grey), grey);
  }
}

}  // namespace
}  // namespace lockstep::data
