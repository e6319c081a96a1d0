// What a JPEG's header says, and every way in which a file can be wrong: refused with a reason,
// without memory.
#include "jpeg_reader.h"

#include "data_fixture.h"
#include "image_fixture.h"

#include <chrono>

namespace lockstep::data {
namespace {

constexpr std::int64_t kMaxGrowthBytes = 64 << 20;

Bytes small(JpegKind kind = {}) { return make_jpeg(make_picture({64, 80}, 3), kind); }

Bytes progressive(ImageSize size = {64, 80}) {
  return make_jpeg(make_picture(size, 3), {JpegKind::Colours::kYcc, true, true, true, 90, 0, true});
}

Bytes cut_to(Bytes file, std::size_t size) {
  file.resize(size);
  return file;
}

// Sets a byte at `offset` behind the first segment of `marker`.
Bytes patched(Bytes file, std::initializer_list<int> markers, std::size_t offset, int value) {
  for (std::size_t at = 2; at + 3 < file.size();) {
    for (const int marker : markers) {
      if (static_cast<int>(file[at + 1]) != marker) continue;
      file[at + offset] = static_cast<std::byte>(value);
      return file;
    }
    at +=
        2 + (static_cast<std::size_t>(file[at + 2]) << 8) + static_cast<std::size_t>(file[at + 3]);
  }
  ADD_FAILURE() << "no such marker";
  return file;
}

Bytes filled(Bytes file, double from, double to, int value) {
  const auto size = static_cast<double>(file.size());
  for (auto i = static_cast<std::size_t>(size * from); i < static_cast<std::size_t>(size * to);
       ++i) {
    file[i] = static_cast<std::byte>(value);
  }
  return file;
}

Bytes joined(const Bytes& a, const Bytes& b) {
  Bytes both = a;
  both.insert(both.end(), b.begin(), b.end());
  return both;
}

Bytes without_start(Bytes file) {
  file.erase(file.begin(), file.begin() + 2);
  return file;
}

// Small in bytes, dear in time: every scan visits every block.
Bytes many_scans() {
  const Image flat{{3000, 3000}, 3, std::vector<std::uint8_t>(27'000'000, 99)};
  return with_scans(make_jpeg(flat, {JpegKind::Colours::kYcc, true, true, true, 50, 0, true}), 300);
}

Bytes padded(Bytes file, std::size_t size) {
  file.resize(std::max(file.size(), size), std::byte{0});
  return file;
}

struct Case {
  const char* name;
  std::function<Bytes()> make;
  const char* reason;
};

std::vector<Case> hostile_files() {
  return {
      {"empty", [] { return Bytes(); }, "empty file"},
      {"two bytes", [] { return cut_to(small(), 2); }, "neither"},
      {"start alone", [] { return cut_to(small(), 4); }, "JPEG"},
      {"text", [] { return Bytes(300, std::byte{'x'}); }, "neither"},
      {"zeros behind the start", [] { return padded(cut_to(small(), 3), 4000); }, "JPEG"},
      {"cut in the tables", [] { return cut_to(small(), 100); }, "JPEG"},
      {"cut at one half",
       [] { return cut_to(small(), small().size() / 2); },
       "JPEG: Premature end"},
      {"end marker missing", [] { return cut_to(small(), small().size() - 2); }, "Premature end"},
      {"progressive, cut", [] { return cut_to(progressive(), 1200); }, "JPEG"},
      {"65500 x 65500", [] { return with_jpeg_size(small(), 65500, 65500); }, "at most"},
      {"65535 x 65535", [] { return with_jpeg_size(small(), 65535, 65535); }, "JPEG: Maximum"},
      {"10000 x 10000 in 4 KB", [] { return with_jpeg_size(small(), 10000, 10000); }, "cut short"},
      {"10000 x 10000, progressive",
       [] { return with_jpeg_size(progressive(), 10000, 10000); },
       "cut short"},
      {"10000 x 10000, progressive, padded",
       [] { return padded(with_jpeg_size(progressive(), 10000, 10000), 200'000); },
       "JPEG"},
      {"10000 x 10000, padded",
       [] { return padded(with_jpeg_size(small(), 10000, 10000), 200'000); },
       "JPEG"},
      {"no width", [] { return with_jpeg_size(small(), 64, 0); }, "JPEG: Empty"},
      {"no height", [] { return with_jpeg_size(small(), 0, 80); }, "JPEG: Empty"},
      {"taller than its data", [] { return with_jpeg_size(small(), 128, 80); }, "JPEG"},
      {"12 bits", [] { return patched(small(), {0xC0}, 4, 12); }, "precision 12"},
      {"lossless", [] { return patched(small(), {0xC0}, 1, 0xC3); }, "SOF"},
      {"hierarchical", [] { return patched(small(), {0xC0}, 1, 0xC5); }, "SOF"},
      {"arithmetic", [] { return patched(small(), {0xC0}, 1, 0xC9); }, "arithmetic"},
      {"200 channels", [] { return patched(small(), {0xC0}, 9, 200); }, "JPEG: Bogus"},
      {"sampling of 15", [] { return patched(small(), {0xC0}, 11, 0xFF); }, "sampling"},
      {"sampling of 0", [] { return patched(small(), {0xC0}, 11, 0x00); }, "sampling"},
      {"no such quantisation table", [] { return patched(small(), {0xC0}, 12, 9); }, "table"},
      {"no such Huffman table", [] { return patched(small(), {0xDA}, 6, 0x33); }, "JPEG"},
      {"Huffman table too long", [] { return patched(small(), {0xC4}, 5, 0xFF); }, "JPEG"},
      {"segment length of 0", [] { return patched(small(), {0xDB}, 3, 0); }, "JPEG"},
      {"two frames", [] { return joined(cut_to(small(), 300), without_start(small())); }, "JPEG"},
      {"zeroed middle", [] { return filled(small(), 0.5, 0.8, 0x00); }, "JPEG"},
      {"a middle of markers", [] { return filled(small(), 0.5, 0.8, 0xFF); }, "JPEG"},
      {"1000 scans",
       [] {
         return with_scans(progressive({16, 16}), 1000);
       },
       "more than 500 scans"},
      {"300 scans over 9 million pixels", [] { return many_scans(); }, "more than 222 scans"},
  };
}

TEST(JpegReader, HeaderSaysSizeAndChannels) {
  const ImageHeader header = read_image_header(small());
  EXPECT_EQ(header.format, ImageFormat::kJpeg);
  EXPECT_EQ(header.size, (ImageSize{64, 80}));
  EXPECT_EQ(header.channels, 3);
  const Bytes inks = make_jpeg(make_picture({8, 8}, 4), {JpegKind::Colours::kYcck});
  EXPECT_EQ(read_image_header(inks).channels, 4);
}

TEST(JpegReader, HostileFilesAreRefusedWithAReasonAndWithoutMemory) {
  const auto cases = hostile_files();
  EXPECT_GE(cases.size(), 25U);
  for (const Case& hostile : cases) {
    SCOPED_TRACE(hostile.name);
    const Bytes file = hostile.make();
    const auto start = std::chrono::steady_clock::now();
    const std::int64_t growth = memory_growth_bytes(
        [&] { expect_error(ExitCode::kBadData, {hostile.reason}, [&] { decode_image(file); }); });
    EXPECT_LE(growth, kMaxGrowthBytes);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  }
}

TEST(JpegReader, EveryTruncationIsAnError) {
  const Bytes file = make_jpeg(make_picture({33, 47}, 3));
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_THROW(decode_image(std::span(file).first(size)), Error) << size;
  }
}

TEST(JpegReader, FlippedBitsNeverDoMoreThanFail) {
  std::uint32_t state = 7;
  for (const Bytes& good : {small(), progressive({40, 40})}) {
    for (int trial = 0; trial < 400; ++trial) {
      Bytes file = good;
      state = state * 1664525U + 1013904223U;
      file[(state >> 8) % file.size()] ^= static_cast<std::byte>(1U << (state >> 29));
      try {
        decode_image(file);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::kBadData);
      }
    }
  }
}

TEST(JpegReader, LimitsAreTheCallers) {
  ImageLimits limits;
  limits.max_pixels = 64 * 80 - 1;
  expect_error(
      ExitCode::kBadData, {"64 x 80", "5119"}, [&] { read_image_header(small(), limits); });
  DecodeOptions options;
  options.limits.max_scans = 3;
  expect_error(ExitCode::kBadData, {"3 scans"}, [&] { decode_image(progressive(), options); });
}

}  // namespace
}  // namespace lockstep::data
