// JPEG files of every kind become the right pixels, whole or in part, full size or reduced.
#include "data_fixture.h"
#include "image_fixture.h"

namespace lockstep::data {
namespace {

DecodedImage decode(const Bytes& file, std::int32_t channels = 3) {
  DecodeOptions options;
  options.channels = channels;
  return decode_image(file, options);
}

// The wanted part of what was decoded, in its pixels.
Region inside(const Region& wanted, const DecodedImage& decoded) {
  const auto factor = static_cast<float>(decoded.reduction);
  return {(wanted.x0 - decoded.region.x0) / factor,
          (wanted.y0 - decoded.region.y0) / factor,
          (wanted.x1 - decoded.region.x0) / factor,
          (wanted.y1 - decoded.region.y0) / factor};
}

TEST(JpegDecoder, EveryKindShowsThePicture) {
  const Image picture = make_picture({117, 203}, 3);
  for (const bool progressive : {false, true}) {
    for (const bool subsampled : {false, true}) {
      for (const auto colours : {JpegKind::Colours::kYcc, JpegKind::Colours::kRgb}) {
        const DecodedImage decoded =
            decode(make_jpeg(picture, {colours, progressive, true, subsampled, 97, 3}));
        EXPECT_EQ(decoded.image.size, picture.size);
        EXPECT_EQ(decoded.reduction, 1);
        EXPECT_EQ(decoded.region, (Region{0, 0, 203, 117}));
        EXPECT_GT(ssim(decoded.image, picture), subsampled ? 0.9 : 0.95);
      }
    }
  }
}

TEST(JpegDecoder, GreyFilesBecomeEqualChannelsAndBack) {
  const Image picture = make_picture({40, 61}, 1);
  const Bytes file = make_jpeg(picture, {JpegKind::Colours::kGrey, false, true, true, 97, 0});
  const Image grey = decode(file, 1).image;
  EXPECT_LE(largest_difference(grey, picture), 8);
  const Image colour = decode(file, 3).image;
  for (std::size_t i = 0; i < grey.pixels.size(); ++i) {
    ASSERT_EQ(colour.pixels[3 * i], grey.pixels[i]);
    ASSERT_EQ(colour.pixels[3 * i + 2], grey.pixels[i]);
  }
}

TEST(JpegDecoder, ColourFilesBecomeLuma) {
  Image picture{{16, 16}, 3, {}};
  for (int i = 0; i < 256; ++i) picture.pixels.insert(picture.pixels.end(), {200, 100, 50});
  const Image grey = decode(make_jpeg(picture), 1).image;
  EXPECT_EQ(grey.channels, 1);
  EXPECT_NEAR(grey.pixels[77], 0.299 * 200 + 0.587 * 100 + 0.114 * 50, 2);
}

TEST(JpegDecoder, CmykIsConvertedInvertedOrNot) {
  Image inks{{16, 16}, 4, {}};
  for (int i = 0; i < 256; ++i) inks.pixels.insert(inks.pixels.end(), {255, 0, 100, 51});
  const double white = 1 - 51 / 255.0;
  for (const auto colours : {JpegKind::Colours::kCmyk, JpegKind::Colours::kYcck}) {
    for (const bool adobe : {true, false}) {
      if (colours == JpegKind::Colours::kYcck && !adobe) continue;  // only the marker says YCCK
      const Bytes file = make_jpeg(inks, {colours, false, adobe, false, 100, 0});
      const Image colour = decode(file).image;
      EXPECT_NEAR(colour.pixels[0], 0, 3);
      EXPECT_NEAR(colour.pixels[1], 255 * white, 3);
      EXPECT_NEAR(colour.pixels[2], 155 * white, 3);
      EXPECT_NEAR(decode(file, 1).image.pixels[5], 0.587 * 204 + 0.114 * 124, 3);
    }
  }
}

TEST(JpegDecoder, ReductionStaysAboveWhatIsWanted) {
  const Bytes file = make_jpeg(make_picture({480, 640}, 3));
  const auto reduction = [&](ImageSize at_least, Region region = {}) {
    DecodeOptions options;
    options.at_least = at_least;
    options.region = region;
    const DecodedImage decoded = decode_image(file, options);
    EXPECT_GE(decoded.image.size.height, at_least.height);
    EXPECT_GE(decoded.image.size.width, at_least.width);
    return decoded.reduction;
  };
  EXPECT_EQ(reduction({}), 1);
  EXPECT_EQ(reduction({241, 10}), 1);
  EXPECT_EQ(reduction({240, 320}), 2);
  EXPECT_EQ(reduction({224, 224}), 2);
  EXPECT_EQ(reduction({120, 160}), 4);
  EXPECT_EQ(reduction({60, 80}), 8);
  EXPECT_EQ(reduction({1, 1}), 8);
  EXPECT_EQ(reduction({100, 100}, {10, 10, 209, 409}), 1);
  EXPECT_EQ(reduction({100, 100}, {10, 10, 210, 410}), 2);
}

TEST(JpegDecoder, SizesThatBlocksDoNotDivide) {
  const Image picture = make_picture({67, 101}, 3);
  const Bytes file = make_jpeg(picture);
  DecodeOptions options;
  options.at_least = {8, 8};
  const DecodedImage decoded = decode_image(file, options);
  EXPECT_EQ(decoded.reduction, 8);
  EXPECT_EQ(decoded.image.size, (ImageSize{9, 13}));
  EXPECT_EQ(decoded.region, (Region{0, 0, 104, 72}));
}

TEST(JpegDecoder, PartsEqualTheSamePartOfTheWhole) {
  for (const bool progressive : {false, true}) {
    const Bytes file = make_jpeg(make_picture({211, 307}, 3),
                                 {JpegKind::Colours::kYcc, progressive, true, true, 90, 0});
    const Image whole = decode(file).image;
    for (const Region region : {Region{0, 0, 50, 40},
                                Region{31, 17, 100, 99},
                                Region{200, 150, 307, 211},
                                Region{64, 64, 128, 128},
                                Region{306, 210, 307, 211},
                                Region{0, 100, 307, 130}}) {
      DecodeOptions options;
      options.region = region;
      const DecodedImage decoded = decode_image(file, options);
      EXPECT_LE(decoded.region.x0, region.x0);
      EXPECT_GE(decoded.region.y1, region.y1);
      EXPECT_LT(decoded.image.pixels.size(), whole.pixels.size());
      EXPECT_LE(largest_difference(cut(decoded.image, inside(region, decoded)), cut(whole, region)),
                1)
          << region.x0 << " " << region.y0;
    }
  }
}

TEST(JpegDecoder, ReducedPartsLookLikeTheResizedWhole) {
  const Bytes file = make_jpeg(make_picture({600, 800}, 3));
  const Image whole = decode(file).image;
  for (const Region region : {Region{0, 0, 800, 600},
                              Region{133.5F, 71.25F, 613.5F, 551.25F},
                              Region{300, 200, 790, 590}}) {
    DecodeOptions options;
    options.region = region;
    options.at_least = {112, 112};
    const DecodedImage decoded = decode_image(file, options);
    EXPECT_GT(decoded.reduction, 1);
    const Image part = resized(decoded.image, inside(region, decoded), {112, 112});
    EXPECT_GE(ssim(part, resized(whole, region, {112, 112})), 0.98);
  }
}

TEST(JpegDecoder, MetadataIsIgnored) {
  const Bytes plain = make_jpeg(make_picture({24, 24}, 3));
  Bytes tagged(plain.begin(), plain.begin() + 2);
  // An EXIF segment that asks for a rotation, and one of rubbish.
  const std::string exif(
      "\xFF\xE1\x00\x24"
      "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06"
      "\0\0\0\0\0\0\0\0",
      38);
  const std::string rubbish("\xFF\xED\x00\x06\xFF\xDA\xFF\xD9", 8);
  for (const char c : exif + rubbish) tagged.push_back(static_cast<std::byte>(c));
  tagged.insert(tagged.end(), plain.begin() + 2, plain.end());
  EXPECT_EQ(decode(tagged).image.pixels, decode(plain).image.pixels);
}

}  // namespace
}  // namespace lockstep::data
