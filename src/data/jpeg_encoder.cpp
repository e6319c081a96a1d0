// Writes JPEG files.
#include "jpeg_errors.h"

#include <lockstep/base/error.h>
#include <lockstep/data/image.h>

#include <cstdlib>

namespace lockstep::data {
namespace {

// What the library allocates, freed on every way out.
struct Encoder {
  Encoder() = default;
  ~Encoder() {
    jpeg_destroy_compress(&state);
    std::free(bytes);
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  JpegErrors errors;
  jpeg_compress_struct state{};
  unsigned char* bytes = nullptr;
  unsigned long num_bytes = 0;
};

void start(Encoder& encoder, const Image& image, int quality) {
  jpeg_compress_struct& state = encoder.state;
  state.err = encoder.errors.manager();
  encoder.errors.run([&] {
    jpeg_create_compress(&state);
    jpeg_mem_dest(&state, &encoder.bytes, &encoder.num_bytes);
    state.image_width = static_cast<JDIMENSION>(image.size.width);
    state.image_height = static_cast<JDIMENSION>(image.size.height);
    state.input_components = image.channels;
    state.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&state);
    jpeg_set_quality(&state, quality, TRUE);
    jpeg_start_compress(&state, TRUE);
  });
}

void write_rows(Encoder& encoder, const Image& image) {
  const auto row_bytes =
      static_cast<std::size_t>(image.size.width) * static_cast<std::size_t>(image.channels);
  encoder.errors.run([&] {
    while (encoder.state.next_scanline < encoder.state.image_height) {
      // The library takes rows that are not const, and only reads them.
      auto* row =
          const_cast<std::uint8_t*>(image.pixels.data()) + encoder.state.next_scanline * row_bytes;
      jpeg_write_scanlines(&encoder.state, &row, 1);
    }
    jpeg_finish_compress(&encoder.state);
  });
}

}  // namespace

std::vector<std::byte> encode_jpeg(const Image& image, int quality) {
  LOCKSTEP_CHECK(image.channels == 1 || image.channels == 3, "images have 1 or 3 channels");
  LOCKSTEP_CHECK(image.size.height > 0 && image.size.width > 0 &&
                     std::ssize(image.pixels) ==
                         std::int64_t{image.size.height} * image.size.width * image.channels,
                 "pixels that do not fill the image");
  Encoder encoder;
  start(encoder, image, quality);
  write_rows(encoder, image);
  const auto* begin = reinterpret_cast<const std::byte*>(encoder.bytes);
  return {begin, begin + encoder.num_bytes};
}

}  // namespace lockstep::data
