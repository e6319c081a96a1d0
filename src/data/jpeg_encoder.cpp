// Writes JPEG files.
#include "jpeg_errors.h"

#include <lockstep/base/error.h>
#include <lockstep/data/image.h>

#include <array>
#include <cstddef>
#include <new>
#include <utility>
#include <vector>

namespace lockstep::data {
namespace {

// Takes what the library writes, block by block. Its own jpeg_mem_dest frees the first buffer when
// it needs a second, and when it then fails leaves the caller's pointer to the first as it was.
struct Destination {
  jpeg_destination_mgr manager{};  // first: the library knows this address
  std::vector<std::byte> bytes;
  std::array<JOCTET, 16384> block;
};

Destination& destination_of(j_compress_ptr state) {
  return *reinterpret_cast<Destination*>(state->dest);
}

void begin_block(j_compress_ptr state) {
  Destination& out = destination_of(state);
  out.manager.next_output_byte = out.block.data();
  out.manager.free_in_buffer = out.block.size();
}

// False: no memory. No exception may pass through the library.
bool append(Destination& out, std::size_t count) noexcept {
  try {
    const auto* begin = reinterpret_cast<const std::byte*>(out.block.data());
    out.bytes.insert(out.bytes.end(), begin, begin + count);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

boolean take_block(j_compress_ptr state) {
  Destination& out = destination_of(state);
  if (!append(out, out.block.size())) ERREXIT1(state, JERR_OUT_OF_MEMORY, 0);
  begin_block(state);
  return TRUE;
}

void take_rest(j_compress_ptr state) {
  Destination& out = destination_of(state);
  if (!append(out, out.block.size() - out.manager.free_in_buffer)) {
    ERREXIT1(state, JERR_OUT_OF_MEMORY, 0);
  }
}

// What the library allocates, freed on every way out.
struct Encoder {
  Encoder() {
    out.manager.init_destination = begin_block;
    out.manager.empty_output_buffer = take_block;
    out.manager.term_destination = take_rest;
  }
  ~Encoder() { jpeg_destroy_compress(&state); }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  JpegErrors errors;
  jpeg_compress_struct state{};
  Destination out;
};

void start(Encoder& encoder, const Image& image, int quality) {
  jpeg_compress_struct& state = encoder.state;
  state.err = encoder.errors.manager();
  encoder.errors.run([&] {
    jpeg_create_compress(&state);
    state.dest = &encoder.out.manager;
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
  return std::move(encoder.out.bytes);
}

}  // namespace lockstep::data
