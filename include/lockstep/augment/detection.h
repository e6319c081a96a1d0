// The host pass over the pixels of one image of a detection batch, so that a loader's reader
// threads can do it while the pixels are still in their cache.
#pragma once

#include <lockstep/data/loader.h>

#include <cstdint>
#include <span>
#include <vector>

namespace lockstep::augment {

// pixels (H, W, C) u8 of `source` size -> out (C, padded H, padded W) f32: `geometry`'s region,
// resized (bilinear, align_corners = false, no antialiasing), mirrored and normalised by (pixel /
// 255 - mean) / std in the upper left, zero in the rest.
// Requires: mean and std of one to four channels; the result is not larger than `padded`.
void fill_detection_slot(std::span<const std::uint8_t> pixels,
                         data::ImageSize source,
                         const data::Geometry& geometry,
                         const std::vector<double>& mean,
                         const std::vector<double>& std,
                         data::ImageSize padded,
                         std::span<float> out);

// The same for LoaderOptions::detection_to_floats.
data::DetectionToFloats make_detection_to_floats(const std::vector<double>& mean,
                                                 const std::vector<double>& std);

}  // namespace lockstep::augment
