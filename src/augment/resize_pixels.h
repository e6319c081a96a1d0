// Crops and resizes one image on the host, bilinear with align_corners = false and no antialiasing:
// to planes of normalised floats in one pass, or to bytes for operations that follow.
#pragma once

#include "lerp_row.h"
#include "pixel_math.h"

#include <cstdint>
#include <vector>

namespace lockstep::augment {

// Letters: H height, W width, C channels.
struct PassShape {
  std::int32_t source_height = 0, source_width = 0;
  std::int32_t channels = 0;
  std::int32_t height = 0, width = 0;  // of the result
};

// Memory of one thread's passes, reused from sample to sample.
struct PassMemory {
  AxisTable columns;
  AxisTable rows;
  std::vector<float> source_row;             // (C, source W + kRowPadding)
  std::vector<float> resized_rows;           // (2, C, W)
  std::vector<AxisPosition> byte_columns;    // (W)
  std::vector<std::int32_t> byte_rows;       // (2, W * C)
  std::vector<std::uint8_t> bytes, scratch;  // (H, W, C)
};

// The part of a result that comes from inside, along one axis, after a move: [begin, end).
struct InsideRange {
  std::int32_t begin = 0;
  std::int32_t end = 0;
};
InsideRange inside_range(std::int32_t move, std::int32_t size);

// Fills `table` for results [inside.begin, inside.end) of `out_size`, moved and mirrored as in
// SamplePlan, relative to the first of `size` source pixels.
void fill_axis(std::int32_t size,
               std::int32_t out_size,
               std::int32_t move,
               bool mirrored,
               InsideRange inside,
               AxisTable& table);

// out (C, H, W): the plan's crop, resized, moved, mirrored and normalised; places from outside are
// `shift`.
void resize_to_planes(const std::uint8_t* pixels,
                      const PassShape& shape,
                      const SamplePlan& plan,
                      const float* scale,
                      const float* shift,
                      PassMemory& memory,
                      float* out);

// bytes (H, W, C): the plan's crop, resized; neither moved nor mirrored.
void resize_to_bytes(const std::uint8_t* pixels,
                     const PassShape& shape,
                     const SamplePlan& plan,
                     PassMemory& memory,
                     std::uint8_t* bytes);

}  // namespace lockstep::augment
