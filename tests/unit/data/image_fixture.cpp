#include "image_fixture.h"

#include "libjpeg.h"

#include <lockstep/base/file.h>

#include <gtest/gtest.h>
#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace lockstep::data {
namespace {

std::uint32_t next_random(std::uint32_t& state) {
  state = state * 1664525U + 1013904223U;
  return state >> 24;
}

J_COLOR_SPACE pixel_space(JpegKind::Colours colours) {
  if (colours == JpegKind::Colours::kGrey) return JCS_GRAYSCALE;
  const bool inks = colours == JpegKind::Colours::kCmyk || colours == JpegKind::Colours::kYcck;
  return inks ? JCS_CMYK : JCS_RGB;
}

J_COLOR_SPACE file_space(JpegKind::Colours colours) {
  switch (colours) {
    case JpegKind::Colours::kYcc:
      return JCS_YCbCr;
    case JpegKind::Colours::kRgb:
      return JCS_RGB;
    case JpegKind::Colours::kGrey:
      return JCS_GRAYSCALE;
    case JpegKind::Colours::kCmyk:
      return JCS_CMYK;
    case JpegKind::Colours::kYcck:
      return JCS_YCCK;
  }
  return JCS_UNKNOWN;
}

void put_u16(Bytes& file, std::size_t at, std::uint16_t value) {
  file[at] = static_cast<std::byte>(value >> 8);
  file[at + 1] = static_cast<std::byte>(value);
}

void put_u32(Bytes& file, std::size_t at, std::uint32_t value) {
  put_u16(file, at, static_cast<std::uint16_t>(value >> 16));
  put_u16(file, at + 2, static_cast<std::uint16_t>(value));
}

// Where the segment of this marker begins (its FF), from `from` on.
std::size_t find_marker(const Bytes& file, int low, int high, std::size_t from = 2) {
  std::size_t at = from;
  while (at + 3 < file.size()) {
    const auto marker = static_cast<int>(file[at + 1]);
    if (marker >= low && marker <= high && marker != 0xC4) return at;
    at +=
        2 + (static_cast<std::size_t>(file[at + 2]) << 8) + static_cast<std::size_t>(file[at + 3]);
  }
  ADD_FAILURE() << "no such marker";
  return 2;
}

std::int64_t status_kib(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(key, 0) == 0) return std::atoll(line.c_str() + key.size());
  }
  return 0;
}

}  // namespace

Image make_picture(ImageSize size, std::int32_t channels, unsigned seed) {
  Image image{size, channels, {}};
  std::uint32_t state = seed;
  for (std::int32_t y = 0; y < size.height; ++y) {
    for (std::int32_t x = 0; x < size.width; ++x) {
      for (std::int32_t c = 0; c < channels; ++c) {
        const double wave = std::sin(0.05 * x + c) * std::cos(0.031 * y - 0.4 * c);
        const bool edge = (x / 37 + y / 29 + c) % 4 == 0;
        const double value = 120 + 70 * wave + (edge ? 35 : 0) + next_random(state) / 32.0;
        image.pixels.push_back(static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0)));
      }
    }
  }
  return image;
}

Bytes make_jpeg(const Image& image, const JpegKind& kind) {
  jpeg_compress_struct state{};
  jpeg_error_mgr errors{};
  state.err = jpeg_std_error(&errors);
  jpeg_create_compress(&state);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&state, &out, &size);
  state.image_width = static_cast<JDIMENSION>(image.size.width);
  state.image_height = static_cast<JDIMENSION>(image.size.height);
  state.input_components = image.channels;
  state.in_color_space = pixel_space(kind.colours);
  jpeg_set_defaults(&state);
  jpeg_set_colorspace(&state, file_space(kind.colours));
  jpeg_set_quality(&state, kind.quality, TRUE);
  if (!kind.subsampled) {
    for (int i = 0; i < state.num_components; ++i) {
      state.comp_info[i].h_samp_factor = state.comp_info[i].v_samp_factor = 1;
    }
  }
  static const jpeg_scan_info kWholeScans[] = {{3, {0, 1, 2, 0}, 0, 0, 0, 0},
                                               {1, {0, 0, 0, 0}, 1, 63, 0, 0},
                                               {1, {1, 0, 0, 0}, 1, 63, 0, 0},
                                               {1, {2, 0, 0, 0}, 1, 63, 0, 0}};
  if (kind.progressive) jpeg_simple_progression(&state);
  if (kind.whole_scans) {
    state.scan_info = kWholeScans;
    state.num_scans = 4;
  }
  state.restart_interval = static_cast<unsigned>(kind.restart_interval);
  const bool inks = image.channels == 4;
  if (inks) state.write_Adobe_marker = kind.adobe ? TRUE : FALSE;
  jpeg_start_compress(&state, TRUE);
  std::vector<std::uint8_t> pixels = image.pixels;
  if (inks && kind.adobe) {
    for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(255 - value);
  }
  while (state.next_scanline < state.image_height) {
    JSAMPROW row = pixels.data() + std::size_t{state.next_scanline} * state.image_width *
                                       static_cast<std::size_t>(image.channels);
    jpeg_write_scanlines(&state, &row, 1);
  }
  jpeg_finish_compress(&state);
  jpeg_destroy_compress(&state);
  const auto* begin = reinterpret_cast<const std::byte*>(out);
  Bytes file(begin, begin + size);
  std::free(out);
  return file;
}

Bytes make_png(ImageSize size,
               const PngKind& kind,
               const std::vector<std::vector<std::uint8_t>>& rows) {
  Bytes file;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png,
      &file,
      [](png_structp writer, png_bytep data, png_size_t count) {
        auto* out = static_cast<Bytes*>(png_get_io_ptr(writer));
        const auto* begin = reinterpret_cast<const std::byte*>(data);
        out->insert(out->end(), begin, begin + count);
      },
      nullptr);
  png_set_IHDR(png,
               info,
               static_cast<png_uint_32>(size.width),
               static_cast<png_uint_32>(size.height),
               kind.bit_depth,
               kind.colour_type,
               kind.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  std::vector<png_color> palette;
  for (int i = 0; i < 1 << std::min(kind.bit_depth, 8); ++i) {
    palette.push_back({static_cast<png_byte>(i * 3), static_cast<png_byte>(255 - i * 5), 77});
  }
  if (kind.colour_type == PNG_COLOR_TYPE_PALETTE) {
    png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  }
  png_write_info(png, info);
  std::vector<png_bytep> pointers;
  for (const auto& row : rows) pointers.push_back(const_cast<png_bytep>(row.data()));
  png_write_image(png, pointers.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return file;
}

Bytes make_png(const Image& image, bool interlaced) {
  const auto row_bytes = static_cast<std::ptrdiff_t>(image.size.width) * image.channels;
  std::vector<std::vector<std::uint8_t>> rows;
  for (std::int32_t y = 0; y < image.size.height; ++y) {
    const auto begin = image.pixels.begin() + y * row_bytes;
    rows.emplace_back(begin, begin + row_bytes);
  }
  const int colour_type = image.channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB;
  return make_png(image.size, {colour_type, 8, interlaced}, rows);
}

Bytes with_jpeg_size(Bytes file, std::uint16_t height, std::uint16_t width) {
  const std::size_t frame = find_marker(file, 0xC0, 0xC2);
  put_u16(file, frame + 5, height);
  put_u16(file, frame + 7, width);
  return file;
}

Bytes with_png_size(Bytes file, std::uint32_t height, std::uint32_t width) {
  constexpr std::size_t kHeader = 12;  // the letters IHDR, which the checksum covers too
  put_u32(file, kHeader + 4, width);
  put_u32(file, kHeader + 8, height);
  const auto* begin = reinterpret_cast<const Bytef*>(file.data()) + kHeader;
  put_u32(file, kHeader + 17, static_cast<std::uint32_t>(crc32(0, begin, 17)));
  return file;
}

Bytes with_scans(const Bytes& file, int count) {
  std::size_t last = 0;
  for (std::size_t at = 2; at + 1 < file.size(); ++at) {
    if (file[at] == std::byte{0xFF} && file[at + 1] == std::byte{0xDA}) last = at;
  }
  Bytes longer(file.begin(), file.end() - 2);
  for (int i = 0; i < count; ++i) {
    longer.insert(longer.end(), file.begin() + static_cast<std::ptrdiff_t>(last), file.end() - 2);
  }
  longer.insert(longer.end(), file.end() - 2, file.end());
  return longer;
}

std::string text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

double ssim(const Image& a, const Image& b) {
  EXPECT_EQ(a.size, b.size);
  EXPECT_EQ(a.channels, b.channels);
  constexpr std::int32_t kWindow = 8;
  constexpr double kC1 = 6.5025;
  constexpr double kC2 = 58.5225;
  double total = 0;
  std::int64_t windows = 0;
  for (std::int32_t c = 0; c < a.channels; ++c) {
    for (std::int32_t y0 = 0; y0 + kWindow <= a.size.height; y0 += 4) {
      for (std::int32_t x0 = 0; x0 + kWindow <= a.size.width; x0 += 4) {
        double sum_a = 0, sum_b = 0, sum_aa = 0, sum_bb = 0, sum_ab = 0;
        for (std::int32_t y = y0; y < y0 + kWindow; ++y) {
          for (std::int32_t x = x0; x < x0 + kWindow; ++x) {
            const auto at = static_cast<std::size_t>((y * a.size.width + x) * a.channels + c);
            const double p = a.pixels[at];
            const double q = b.pixels[at];
            sum_a += p;
            sum_b += q;
            sum_aa += p * p;
            sum_bb += q * q;
            sum_ab += p * q;
          }
        }
        constexpr double kCount = kWindow * kWindow;
        const double mean_a = sum_a / kCount;
        const double mean_b = sum_b / kCount;
        const double variance_a = sum_aa / kCount - mean_a * mean_a;
        const double variance_b = sum_bb / kCount - mean_b * mean_b;
        const double covariance = sum_ab / kCount - mean_a * mean_b;
        total += (2 * mean_a * mean_b + kC1) * (2 * covariance + kC2) /
                 ((mean_a * mean_a + mean_b * mean_b + kC1) * (variance_a + variance_b + kC2));
        ++windows;
      }
    }
  }
  return total / static_cast<double>(windows);
}

double largest_difference(const Image& a, const Image& b) {
  EXPECT_EQ(a.size, b.size);
  EXPECT_EQ(a.pixels.size(), b.pixels.size());
  int largest = 0;
  for (std::size_t i = 0; i < std::min(a.pixels.size(), b.pixels.size()); ++i) {
    largest = std::max(largest, std::abs(int{a.pixels[i]} - int{b.pixels[i]}));
  }
  return largest;
}

Image cut(const Image& image, const Region& region) {
  const auto x0 = static_cast<std::int32_t>(region.x0);
  const auto y0 = static_cast<std::int32_t>(region.y0);
  const auto x1 = static_cast<std::int32_t>(region.x1);
  const auto y1 = static_cast<std::int32_t>(region.y1);
  Image part{{y1 - y0, x1 - x0}, image.channels, {}};
  for (std::int32_t y = y0; y < y1; ++y) {
    const auto begin = image.pixels.begin() + (y * image.size.width + x0) * image.channels;
    part.pixels.insert(part.pixels.end(), begin, begin + (x1 - x0) * image.channels);
  }
  return part;
}

Image resized(const Image& image, const Region& region, ImageSize to) {
  Image out{to, image.channels, {}};
  out.pixels.resize(static_cast<std::size_t>(to.height * to.width * image.channels));
  resize_region(image.pixels, image.size, image.channels, region, to, out.pixels);
  return out;
}

std::int64_t memory_growth_bytes(const std::function<void()>& call) {
  // Writing 5 resets the high-water mark of the resident memory (proc(5)).
  std::ofstream("/proc/self/clear_refs") << "5";
  const std::int64_t before = status_kib("VmRSS:");
  call();
  return (status_kib("VmHWM:") - before) * 1024;
}

}  // namespace lockstep::data
