// What a picture may ask for, held against its header before anything is allocated.
#pragma once

#include <lockstep/data/image.h>

#include <cstddef>
#include <cstdint>

namespace lockstep::data {

// `bytes_needed`: the least that a whole file of this size takes, so that a small file cannot ask
// for a large picture. Throws: Error(kBadData).
void check_image_size(const ImageHeader& header,
                      std::int64_t bytes_needed,
                      std::size_t file_bytes,
                      const ImageLimits& limits);

// Luma as in JPEG (ITU-R BT.601: 0.299, 0.587, 0.114), in 16 bits.
inline std::uint8_t luma(std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  return static_cast<std::uint8_t>((19595U * red + 38470U * green + 7471U * blue + 32768U) >> 16);
}

}  // namespace lockstep::data
