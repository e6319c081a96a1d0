// PNG files of every colour type and depth become 8-bit grey or RGB; damaged ones are refused.
#include "data_fixture.h"
#include "image_fixture.h"

namespace lockstep::data {
namespace {

Image decode(const Bytes& file, std::int32_t channels = 3) {
  DecodeOptions options;
  options.channels = channels;
  return decode_image(file, options).image;
}

TEST(PngDecoder, RgbAndGreyAreExact) {
  for (const bool interlaced : {false, true}) {
    for (const std::int32_t channels : {1, 3}) {
      const Image picture = make_picture({21, 34}, channels);
      const Bytes file = make_png(picture, interlaced);
      EXPECT_EQ(decode(file, channels).pixels, picture.pixels);
      EXPECT_EQ(read_image_header(file).size, picture.size);
      EXPECT_EQ(read_image_header(file).channels, channels);
    }
  }
}

TEST(PngDecoder, GreyBecomesRgbAndRgbBecomesLuma) {
  const Image grey = make_picture({5, 6}, 1);
  EXPECT_EQ(decode(make_png(grey), 3).pixels[3 * 7 + 1], grey.pixels[7]);
  const Bytes red = make_png({1, 2}, {}, {{255, 0, 0, 10, 20, 30}});
  EXPECT_EQ(decode(red, 1).pixels, (std::vector<std::uint8_t>{76, 18}));
}

TEST(PngDecoder, AlphaIsDropped) {
  const Bytes colour = make_png({1, 2}, {6, 8, false}, {{1, 2, 3, 0, 4, 5, 6, 255}});
  EXPECT_EQ(decode(colour).pixels, (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(read_image_header(colour).channels, 4);
  const Bytes grey = make_png({1, 2}, {4, 8, false}, {{9, 0, 8, 128}});
  EXPECT_EQ(decode(grey, 1).pixels, (std::vector<std::uint8_t>{9, 8}));
  EXPECT_EQ(read_image_header(grey).channels, 2);
}

TEST(PngDecoder, PalettesAreLookedUp) {
  // Entry i of the fixture's palette is (3 i, 255 - 5 i, 77).
  const Bytes file = make_png({1, 3}, {3, 8, false}, {{0, 1, 20}});
  EXPECT_EQ(decode(file).pixels, (std::vector<std::uint8_t>{0, 255, 77, 3, 250, 77, 60, 155, 77}));
  const Bytes packed = make_png({1, 4}, {3, 2, false}, {{0b00'01'10'11}});
  EXPECT_EQ(decode(packed).pixels[9], 9);
  EXPECT_EQ(read_image_header(packed).channels, 3);
}

TEST(PngDecoder, OtherDepthsBecomeEightBits) {
  EXPECT_EQ(decode(make_png({1, 8}, {0, 1, false}, {{0b10110000}}), 1).pixels[2], 255);
  EXPECT_EQ(decode(make_png({1, 2}, {0, 4, false}, {{0x3F}}), 1).pixels,
            (std::vector<std::uint8_t>{51, 255}));
  EXPECT_EQ(decode(make_png({1, 2}, {0, 16, false}, {{0x80, 0x00, 0xFF, 0xFF}}), 1).pixels,
            (std::vector<std::uint8_t>{128, 255}));
  EXPECT_EQ(decode(make_png({1, 1}, {2, 16, false}, {{1, 0, 2, 0, 3, 0}})).pixels,
            (std::vector<std::uint8_t>{1, 2, 3}));
}

struct Case {
  const char* name;
  Bytes file;
  const char* reason;
};

TEST(PngDecoder, HostileFilesAreRefusedWithAReasonAndWithoutMemory) {
  const Bytes good = make_png(make_picture({50, 60}, 3));
  const auto cut = [&](std::size_t size) {
    return Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
  };
  const auto flipped = [&](std::size_t at) {
    Bytes file = good;
    file[at] ^= std::byte{1};
    return file;
  };
  const std::vector<Case> cases{
      {"start alone", cut(8), "PNG: it is cut short"},
      {"header alone", cut(33), "PNG: it is cut short"},
      {"half", cut(good.size() / 2), "PNG"},
      {"end missing", cut(good.size() - 12), "PNG: it is cut short"},
      {"header checksum", flipped(20), "PNG: IHDR: CRC error"},
      {"data checksum", flipped(good.size() / 2), "PNG"},
      {"last checksum", flipped(good.size() - 1), "CRC error"},
      {"depth of 3", flipped(24), "PNG"},
      {"65500 x 65500", with_png_size(good, 65500, 65500), "at most"},
      {"9000 x 9000", with_png_size(good, 9000, 9000), "cut short"},
      {"0 x 60", with_png_size(good, 0, 60), "PNG"},
      {"2^31 x 2^31", with_png_size(good, 0x80000000, 0x80000000), "PNG"},
      {"taller than its data", with_png_size(good, 51, 60), "PNG"},
      {"lower than its data", with_png_size(good, 49, 60), "PNG"},
  };
  for (const Case& hostile : cases) {
    SCOPED_TRACE(hostile.name);
    const std::int64_t growth = memory_growth_bytes([&] {
      expect_error(ExitCode::kBadData, {hostile.reason}, [&] { decode_image(hostile.file); });
    });
    EXPECT_LE(growth, 64 << 20);
  }
}

TEST(PngDecoder, EveryTruncationIsAnError) {
  const Bytes file = make_png(make_picture({9, 11}, 3), true);
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_THROW(decode_image(std::span(file).first(size)), Error) << size;
  }
}

TEST(PngDecoder, EveryFlippedBitBehindTheStartIsAnError) {
  const Bytes good = make_png(make_picture({9, 11}, 1));
  for (std::size_t at = 8; at < good.size(); ++at) {
    Bytes file = good;
    file[at] ^= static_cast<std::byte>(1U << at % 8);
    EXPECT_THROW(decode_image(file), Error) << at;
  }
}

}  // namespace
}  // namespace lockstep::data
