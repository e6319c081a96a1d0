// JPEG and PNG files: the gate before the decoders, and the decoders behind it.
#include "refusal.h"

#include <lockstep/data/image.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = std::as_bytes(std::span(data, size));
  return lockstep::expect_taken_or_refused([file] {
    lockstep::data::DecodeOptions options;
    options.limits.max_pixels = 1 << 19;  // small pictures, many of them
    options.limits.max_scans = 20;
    lockstep::data::decode_image(file, options);
  });
}
