// JPEG files to 224 x 224 crops on one core: by the input path, and by a loop of libjpeg-turbo that
// decodes every picture whole. Both cut the same boxes and resize them by the same function. Prints
// one JSON object: images/s of each block, or the structural similarity of both results.
//   jpeg_loop FOLDER ours|loop|ssim BLOCKS
#include <lockstep/base/clock.h>
#include <lockstep/base/file.h>
#include <lockstep/data/image.h>
#include <lockstep/data/transform_plan.h>

// clang-format off
#include <cstdio>
#include <jpeglib.h>
// clang-format on

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using lockstep::data::Image;
using lockstep::data::ImageSize;
using lockstep::data::Region;

constexpr ImageSize kTarget{224, 224};
constexpr std::size_t kOutBytes = std::size_t{224} * 224 * 3;

struct Picture {
  std::string file;
  Region region;
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(file)); }
};

std::vector<Picture> read_pictures(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  lockstep::data::AugmentOptions options;
  options.random_crop = true;
  std::vector<Picture> pictures;
  for (const auto& path : paths) {
    Picture picture{lockstep::read_text(path), {}};
    const ImageSize size = lockstep::data::read_image_header(picture.bytes()).size;
    const auto id = static_cast<std::int64_t>(pictures.size());
    picture.region = lockstep::data::plan_geometry(options, true, 1, 0, id, size, kTarget).region;
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

void take_ours(const Picture& picture, std::span<std::uint8_t> out) {
  lockstep::data::DecodeOptions options;
  options.region = picture.region;
  options.at_least = kTarget;
  const auto decoded = lockstep::data::decode_image(picture.bytes(), options);
  const auto factor = static_cast<float>(decoded.reduction);
  const ImageSize size = decoded.image.size;
  const auto across = [&](float x) {
    return std::clamp((x - decoded.region.x0) / factor, 0.0F, static_cast<float>(size.width));
  };
  const auto down = [&](float y) {
    return std::clamp((y - decoded.region.y0) / factor, 0.0F, static_cast<float>(size.height));
  };
  const Region part{across(picture.region.x0),
                    down(picture.region.y0),
                    across(picture.region.x1),
                    down(picture.region.y1)};
  lockstep::data::resize_region(decoded.image.pixels, size, 3, part, kTarget, out);
}

void take_whole(const Picture& picture, std::span<std::uint8_t> out) {
  static std::vector<std::uint8_t> pixels;  // kept, as a good loop does
  jpeg_decompress_struct state{};
  jpeg_error_mgr errors{};
  state.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&state);
  jpeg_mem_src(
      &state, reinterpret_cast<const unsigned char*>(picture.file.data()), picture.file.size());
  jpeg_read_header(&state, TRUE);
  state.out_color_space = JCS_RGB;
  jpeg_start_decompress(&state);
  const ImageSize size{static_cast<std::int32_t>(state.output_height),
                       static_cast<std::int32_t>(state.output_width)};
  const std::size_t row_bytes = static_cast<std::size_t>(size.width) * 3;
  pixels.resize(row_bytes * static_cast<std::size_t>(size.height));
  while (state.output_scanline < state.output_height) {
    JSAMPROW rows[4];
    for (std::size_t i = 0; i < 4; ++i) {
      const std::size_t row =
          std::min<std::size_t>(state.output_scanline + i, state.output_height - 1);
      rows[i] = pixels.data() + row * row_bytes;
    }
    jpeg_read_scanlines(&state, rows, 4);
  }
  jpeg_finish_decompress(&state);
  jpeg_destroy_decompress(&state);
  lockstep::data::resize_region(pixels, size, 3, picture.region, kTarget, out);
}

// Mean over windows of 8 x 8 of the luma, as Wang et al., "Image quality assessment: from error
// visibility to structural similarity", 2004, equation 13.
double similarity(std::span<const std::uint8_t> one, std::span<const std::uint8_t> other) {
  constexpr double kC1 = 0.01 * 255 * 0.01 * 255;
  constexpr double kC2 = 0.03 * 255 * 0.03 * 255;
  const auto luma = [](std::span<const std::uint8_t> pixels, std::size_t at) {
    return 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
  };
  double sum = 0;
  int windows = 0;
  for (std::size_t y = 0; y + 8 <= 224; y += 4) {
    for (std::size_t x = 0; x + 8 <= 224; x += 4) {
      double a = 0, b = 0, aa = 0, bb = 0, ab = 0;
      for (std::size_t i = 0; i < 64; ++i) {
        const std::size_t at = ((y + i / 8) * 224 + x + i % 8) * 3;
        const double p = luma(one, at);
        const double q = luma(other, at);
        a += p / 64, b += q / 64, aa += p * p / 64, bb += q * q / 64, ab += p * q / 64;
      }
      sum += (2 * a * b + kC1) * (2 * (ab - a * b) + kC2) /
             ((a * a + b * b + kC1) * (aa - a * a + bb - b * b + kC2));
      ++windows;
    }
  }
  return sum / windows;
}

std::string rates_of(const std::vector<Picture>& pictures, bool ours, int blocks) {
  std::vector<std::uint8_t> out(kOutBytes);
  std::string rates;
  for (int block = -1; block < blocks; ++block) {  // the first one warms up
    const lockstep::Stopwatch watch;
    for (const Picture& picture : pictures)
      ours ? take_ours(picture, out) : take_whole(picture, out);
    const double rate = static_cast<double>(pictures.size()) / watch.elapsed_s();
    if (block >= 0) rates += (block == 0 ? "" : ", ") + std::to_string(rate);
  }
  return rates;
}

double least_similarity(const std::vector<Picture>& pictures, double& mean) {
  std::vector<std::uint8_t> one(kOutBytes);
  std::vector<std::uint8_t> other(kOutBytes);
  double least = 1;
  for (const Picture& picture : pictures) {
    take_ours(picture, one);
    take_whole(picture, other);
    const double value = similarity(one, other);
    least = std::min(least, value);
    mean += value / static_cast<double>(pictures.size());
  }
  return least;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("jpeg_loop: see the head of jpeg_loop.cpp\n", stderr);
    return 64;
  }
  const std::vector<Picture> pictures = read_pictures(argv[1]);
  const std::string_view mode = argv[2];
  if (mode == "ssim") {
    double mean = 0;
    const double least = least_similarity(pictures, mean);
    std::printf("{\"ssim_mean\": %.5f, \"ssim_least\": %.5f}\n", mean, least);
    return 0;
  }
  const std::string rates = rates_of(pictures, mode == "ours", std::atoi(argv[3]));
  std::printf("{\"blocks\": [%s]}\n", rates.c_str());
  return 0;
}
