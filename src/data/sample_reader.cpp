#include "sample_reader.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <cstring>

namespace lockstep::data {
namespace {

std::span<const std::uint8_t> as_pixels(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}
std::span<std::uint8_t> as_pixels(std::span<std::byte> bytes) {
  return {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()};
}

// The same part in the pixels of what was decoded, which shows `decoded.region`, maybe reduced.
Region inside(const Region& wanted, const DecodedImage& decoded) {
  const auto scale = static_cast<float>(decoded.reduction);
  const auto width = static_cast<float>(decoded.image.size.width);
  const auto height = static_cast<float>(decoded.image.size.height);
  return {std::clamp((wanted.x0 - decoded.region.x0) / scale, 0.0F, width),
          std::clamp((wanted.y0 - decoded.region.y0) / scale, 0.0F, height),
          std::clamp((wanted.x1 - decoded.region.x0) / scale, 0.0F, width),
          std::clamp((wanted.y1 - decoded.region.y0) / scale, 0.0F, height)};
}

// resize_region, or a copy where whole pixels keep their size.
void make_part(std::span<const std::uint8_t> pixels,
               ImageSize size,
               std::int32_t channels,
               const Region& region,
               ImageSize to,
               std::span<std::uint8_t> out) {
  const auto left = static_cast<std::int64_t>(region.x0);
  const auto top = static_cast<std::int64_t>(region.y0);
  const Region same{static_cast<float>(left),
                    static_cast<float>(top),
                    static_cast<float>(left + to.width),
                    static_cast<float>(top + to.height)};
  if (region != same) {
    resize_region(pixels, size, channels, region, to, out);
    return;
  }
  const auto row = static_cast<std::size_t>(std::int64_t{to.width} * channels);
  for (std::int64_t y = 0; y < to.height; ++y) {
    const auto from = static_cast<std::size_t>(((top + y) * size.width + left) * channels);
    std::memcpy(out.data() + static_cast<std::size_t>(y) * row, pixels.data() + from, row);
  }
}

}  // namespace

SampleReader::SampleReader(const Dataset& dataset, const LoaderOptions& options)
    : dataset_(dataset),
      decodes_(!dataset.info().uniform()),
      compressed_(dataset.info().image_encoding != "raw"),
      training_(options.training),
      augment_(options.augment),
      seed_(options.sampler.seed),
      size_{static_cast<std::int32_t>(dataset.info().height),
            static_cast<std::int32_t>(dataset.info().width)},
      channels_(static_cast<std::int32_t>(dataset.info().channels)) {
  if (decodes_ && dataset.info().task != "detection") {
    if (options.target.height <= 0 || options.target.width <= 0) {
      throw config_error(
          format("{} holds images of differing sizes or compressed ones: name the size of a "
                 "batch's images "
                 "(model.image_size)",
                 dataset.info().path.string()));
    }
    size_ = options.target;
  }
  sample_bytes_ = static_cast<std::size_t>(size_.height) * static_cast<std::size_t>(size_.width) *
                  static_cast<std::size_t>(channels_);
  whole_ = options.on_broken == "skip";
  if (!options.cache.empty()) cache_.emplace(options.cache, dataset.info().num_samples);
}

std::int64_t SampleReader::read(std::int64_t index,
                                std::int64_t epoch,
                                bool verify,
                                std::span<std::byte> out,
                                Scratch& scratch) const {
  if (!decodes_) return read_plain(index, verify, out);
  const Geometry geometry = plan_geometry(augment_,
                                          training_,
                                          seed_,
                                          epoch,
                                          dataset_.sample_id(index),
                                          dataset_.image_size(index),
                                          size_);
  return read_part(index, geometry.region, size_, verify, out, scratch);
}

std::int64_t SampleReader::read_plain(std::int64_t index,
                                      bool verify,
                                      std::span<std::byte> out) const {
  if (cache_) {
    if (const auto found = cache_->find(index)) {
      std::memcpy(out.data(), found->pixels.data(), out.size());
      return 0;
    }
  }
  dataset_.read_pixels(index, out, verify);
  if (cache_) cache_->keep(index, size_, channels_, out);
  return std::ssize(out);
}

std::int64_t SampleReader::read_part(std::int64_t index,
                                     const Region& region,
                                     ImageSize to,
                                     bool verify,
                                     std::span<std::byte> out,
                                     Scratch& scratch) const {
  if (cache_) {
    if (const auto found = cache_->find(index)) {
      make_part(as_pixels(found->pixels), found->size, channels_, region, to, as_pixels(out));
      return 0;
    }
  }
  const std::int64_t stored = dataset_.stored_bytes(index);
  scratch.stored.resize(static_cast<std::size_t>(stored));
  dataset_.read_stored(index, scratch.stored, verify);
  try {
    shape(index, region, to, scratch, out);
  } catch (const Error& error) {
    throw Error(
        error.code(),
        format("{}: image of sample {}: {}", dataset_.info().path.string(), index, error.what()));
  }
  return stored;
}

void SampleReader::shape(std::int64_t index,
                         const Region& region,
                         ImageSize to,
                         const Scratch& scratch,
                         std::span<std::byte> out) const {
  if (compressed_) {
    // Whether a sample is found in the cache depends on time; so that its pixels do not, with a
    // cache every image is decoded whole and unreduced. So it is where broken ones are skipped:
    // damage then shows in every epoch, whatever part is wanted.
    DecodeOptions decoding;
    decoding.channels = channels_;
    if (!cache_ && !whole_) {
      decoding.region = region;
      decoding.at_least = to;
    }
    const DecodedImage decoded = decode_image(scratch.stored, decoding);
    const Image& image = decoded.image;
    if (decoded.file_size != dataset_.image_size(index)) {
      throw data_error("it is of another size than the file's table says");
    }
    if (cache_) cache_->keep(index, image.size, channels_, std::as_bytes(std::span(image.pixels)));
    make_part(image.pixels, image.size, channels_, inside(region, decoded), to, as_pixels(out));
  } else {
    const ImageSize source = dataset_.image_size(index);
    if (cache_) cache_->keep(index, source, channels_, scratch.stored);
    make_part(as_pixels(std::span<const std::byte>(scratch.stored)),
              source,
              channels_,
              region,
              to,
              as_pixels(out));
  }
}

}  // namespace lockstep::data
