// What is encoded decodes to the same picture.
#include "data_fixture.h"
#include "image_fixture.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <random>

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

std::int64_t mapped_bytes() {
  std::int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

// 0: it ended with the Error that it should; else the status of a child that crashed or did not.
int encode_with_little_memory(const Image& image) {
  const pid_t child = fork();
  if (child == 0) {
    const auto bytes = static_cast<rlim_t>(mapped_bytes() + (1 << 20));
    const rlimit limits{bytes, bytes};
    setrlimit(RLIMIT_AS, &limits);
    // What the process has and does not use is not to be had either, but for small pieces.
    for (std::size_t size = std::size_t{1} << 24; size >= std::size_t{1} << 16; size /= 2) {
      void* volatile piece = nullptr;  // so that no compiler leaves the call out
      do piece = std::malloc(size);
      while (piece != nullptr);
    }
    try {
      encode_jpeg(image, 100);
      _exit(1);
    } catch (const Error& error) {
      _exit(error.code() == ExitCode::kOutOfMemory ? 0 : 2);
    }
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

TEST(JpegEncoder, WithoutMemoryThereIsAnErrorAndNothingElse) {
  if (mapped_bytes() > std::int64_t{1} << 40) GTEST_SKIP() << "a sanitizer ends without memory";
  Image noise{{60000, 64}, 3, std::vector<std::uint8_t>(60000 * 64 * 3)};  // narrow: small rows
  std::minstd_rand random(1);
  for (std::uint8_t& value : noise.pixels) value = static_cast<std::uint8_t>(random() >> 8);
  EXPECT_EQ(encode_with_little_memory(noise), 0);
}

}  // namespace
}  // namespace lockstep::data
