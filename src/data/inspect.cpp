// The facts of a file, and what would make reading it faster or safer.
#include "file_links.h"
#include "schema.h"
#include "sharded_dataset.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/data/inspect.h>

#include <algorithm>
#include <cmath>

namespace lockstep::data {
namespace {

constexpr std::size_t kMaxListed = 1000;
constexpr float kSmallArea = 32 * 32;
constexpr float kMediumArea = 96 * 96;

std::vector<std::string> advise(const DatasetInfo& info, const ArrayInfo& images) {
  std::vector<std::string> advice;
  if (!images.library_only.empty()) {
    advice.push_back(
        format("data set \"{}\" has {}: every read passes through the HDF5 library and "
               "its one lock",
               images.key,
               images.library_only));
  }
  if (!info.has_checksums) {
    const bool fletcher = std::find(images.filters.begin(), images.filters.end(), "fletcher32") !=
                          images.filters.end();
    advice.emplace_back(fletcher
                            ? "checksums of chunks only: labels may be damaged without a word"
                            : "no checksums: a damaged byte becomes a wrong pixel without a word");
  }
  return advice;
}

bool is_bad(ImageSize size, std::span<const float> corners) {
  const bool finite = std::all_of(
      corners.begin(), corners.end(), [](float corner) { return std::isfinite(corner); });
  const bool inside = corners[0] >= 0 && corners[1] >= 0 &&
                      corners[2] <= static_cast<float>(size.width) &&
                      corners[3] <= static_cast<float>(size.height);
  return !finite || !(corners[0] < corners[2] && corners[1] < corners[3]) || !inside;
}

BoxStatistics box_statistics(const Dataset& dataset) {
  BoxStatistics result;
  if (dataset.info().task != "detection") return result;
  for (std::int64_t i = 0; i < dataset.info().num_samples; ++i) {
    const Boxes boxes = dataset.boxes(i);
    const std::int64_t count = std::ssize(boxes.classes);
    result.most_in_an_image = std::max(result.most_in_an_image, count);
    result.num_images_without += count == 0 ? 1 : 0;
    for (std::size_t box = 0; box < boxes.classes.size(); ++box) {
      const float area = boxes.areas[box];
      std::int64_t& size = area <= kSmallArea    ? result.num_small
                           : area <= kMediumArea ? result.num_medium
                                                 : result.num_large;
      ++size;
      result.num_crowd += boxes.crowd[box];
      result.num_bad += is_bad(dataset.image_size(i), boxes.corners.subspan(4 * box, 4)) ? 1 : 0;
    }
  }
  return result;
}

// The first images, and the first labels of as many samples.
void guess_keys(Listing& listing) {
  const auto looks_like_images = [](const ListedArray& array) {
    const auto& shape = array.info.shape;
    return array.refused.empty() && array.info.type == "u8" &&
           (shape.size() == 3 || (shape.size() == 4 && (shape[3] == 1 || shape[3] == 3)));
  };
  const auto images = std::find_if(listing.arrays.begin(), listing.arrays.end(), looks_like_images);
  if (images == listing.arrays.end()) return;
  listing.image_key = images->info.key;
  for (const ListedArray& array : listing.arrays) {
    const auto& shape = array.info.shape;
    if (!array.refused.empty() || !array.info.is_integer() || shape.empty()) continue;
    if (shape[0] != images->info.shape[0] ||
        (shape.size() > 1 && shape != std::vector<std::uint64_t>{shape[0], 1})) {
      continue;
    }
    listing.label_key = array.info.key;
    return;
  }
}

ListedArray list_array(const Hdf5Session& session,
                       hid_t file,
                       const std::filesystem::path& path,
                       const std::string& key) {
  ListedArray listed;
  try {
    listed.info = open_array(session, file, path, key);
  } catch (const Error& error) {
    listed.info.key = key;
    listed.refused = error.what();
  }
  return listed;
}

Inspection inspect_file(const FileDataset& file) {
  const FileTables& tables = file.tables();
  Inspection result;
  result.info = tables.info;
  result.arrays = tables.arrays;
  result.samples_per_chunk = file.samples_per_chunk();
  result.num_boxes = std::ssize(tables.box_classes);
  result.boxes = box_statistics(file);
  result.samples_per_class.assign(tables.info.classes.size(), 0);
  const auto& names = tables.info.task == "detection" ? tables.box_classes : tables.labels;
  for (const std::int64_t name : names) {
    ++result.samples_per_class[static_cast<std::size_t>(name)];
  }
  result.advice = advise(tables.info, tables.arrays.front());
  return result;
}

// Places and chunks stay those of the first file; shapes and sizes are of all together.
void append(Inspection& all, const Inspection& file) {
  all.num_boxes += file.num_boxes;
  all.boxes.num_small += file.boxes.num_small;
  all.boxes.num_medium += file.boxes.num_medium;
  all.boxes.num_large += file.boxes.num_large;
  all.boxes.num_crowd += file.boxes.num_crowd;
  all.boxes.num_bad += file.boxes.num_bad;
  all.boxes.num_images_without += file.boxes.num_images_without;
  all.boxes.most_in_an_image = std::max(all.boxes.most_in_an_image, file.boxes.most_in_an_image);
  for (std::size_t i = 0; i < all.samples_per_class.size(); ++i) {
    all.samples_per_class[i] += file.samples_per_class[i];
  }
  for (std::size_t i = 0; i < all.arrays.size() && i < file.arrays.size(); ++i) {
    all.arrays[i].shape[0] += file.arrays[i].shape[0];
    all.arrays[i].size_bytes += file.arrays[i].size_bytes;
    all.arrays[i].stored_bytes += file.arrays[i].stored_bytes;
  }
  for (const std::string& advice : file.advice) {
    const auto& known = all.advice;
    if (std::find(known.begin(), known.end(), advice) == known.end()) all.advice.push_back(advice);
  }
}

}  // namespace

Inspection inspect_dataset(const std::filesystem::path& path, const Options& options) {
  if (!is_manifest(path)) return inspect_file(*open_file_dataset(path, options));
  const Manifest manifest = read_manifest(path);
  Inspection all = inspect_file(*open_shard(manifest, 0, options));
  for (std::size_t shard = 1; shard < manifest.shards.size(); ++shard) {
    append(all, inspect_file(*open_shard(manifest, shard, options)));
  }
  all.info = manifest.info;
  return all;
}

bool holds_keys(const std::filesystem::path& path, const Options& options) {
  const Hdf5Session session;
  const Hid file = open_hdf5(session, path);
  if (H5Aexists(file.get(), kFormatAttribute) > 0) return true;
  return has_link(session, file.get(), options.image_key) &&
         has_link(session, file.get(), options.label_key);
}

Listing list_file(const std::filesystem::path& path) {
  const Hdf5Session session;
  const Hid file = open_hdf5(session, path);
  Listing listing;
  for (const std::string& key : data_set_names(session, file.get(), path, kMaxListed)) {
    listing.arrays.push_back(list_array(session, file.get(), path, key));
  }
  guess_keys(listing);
  return listing;
}

}  // namespace lockstep::data
