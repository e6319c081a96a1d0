// Interleaved bytes to planes of normalised floats, forward or mirrored: the inner loop of every
// pass over pixels on the host. Knows nothing of plans.
#pragma once

#include <cstdint>

namespace lockstep::augment {

// Pixel i of `from` (count, C) goes to place i of each plane, or to count-1-i when mirrored:
// out[c][place] = byte * scale[c] + shift[c], product and sum each rounded: the same on every
// processor.
struct RowConversion {
  const std::uint8_t* from;
  std::int64_t count;
  const float* scale;  // (C)
  const float* shift;  // (C)
  float* const* out;   // (C) planes, which do not overlap
  // Past the caches, where the processor can and the planes are aligned to 64 bytes: for results
  // that are larger than a cache, of which nothing is read soon.
  bool streamed = false;
};

// Requires: channels from 1 to 4.
void convert_row(const RowConversion& row, std::int64_t channels, bool mirrored);

// To be called by the same thread after streamed rows, before others may read them.
void finish_streamed_rows();

// The ways of convert_row for one and three channels; convert_row takes the last that the processor
// has. Public to this module's tests.
struct ConvertWay {
  const char* name;
  bool available;
  void (*one)(const RowConversion& row, bool mirrored);
  void (*three)(const RowConversion& row, bool mirrored);
};
// From plain to fastest; `count` is set to their number.
const ConvertWay* convert_ways(int& count);

}  // namespace lockstep::augment
