#include <lockstep/data/io_plan.h>

#include <algorithm>
#include <cmath>

namespace lockstep::data {
namespace {

// How the samples of a file hang together.
struct Storage {
  double num_samples = 0;
  double num_groups = 0;        // of samples that are stored together
  double chunks_per_group = 1;  // that a sample is cut into
  double group_bytes = 0;       // inflated
  double useful_bytes = 0;      // of the whole file
  double stored_bytes = 0;
  bool inflates = false;
};

Storage storage_of(const Inspection& file) {
  const ArrayInfo& images = file.arrays.front();
  Storage storage;
  storage.num_samples = static_cast<double>(file.info.num_samples);
  storage.num_groups = std::ceil(storage.num_samples / static_cast<double>(file.samples_per_chunk));
  storage.useful_bytes = static_cast<double>(images.size_bytes);
  storage.stored_bytes =
      images.stored_bytes > 0 ? static_cast<double>(images.stored_bytes) : storage.useful_bytes;
  storage.group_bytes =
      storage.useful_bytes / storage.num_samples * static_cast<double>(file.samples_per_chunk);
  for (std::size_t dim = 1; dim < images.chunk.size(); ++dim) {
    const auto cuts = (images.shape[dim] + images.chunk[dim] - 1) / images.chunk[dim];
    storage.chunks_per_group *= static_cast<double>(cuts);
    storage.group_bytes *=
        static_cast<double>(cuts * images.chunk[dim]) / static_cast<double>(images.shape[dim]);
  }
  for (const std::string& filter : images.filters) storage.inflates |= filter == "deflate";
  return storage;
}

// How often a group is read in an epoch of a uniform shuffle.
double loads_per_group(const Storage& storage, double batch, double cache_bytes) {
  const double groups = storage.num_groups;
  const double in_batch =
      groups * -std::expm1(batch * std::log1p(-1 / std::max(groups, 1.0 + 1e-9)));
  const double cached = std::min(1.0, cache_bytes / (storage.group_bytes * groups));
  const double batches = storage.num_samples / batch;
  return std::max(1.0, batches * in_batch * (1 - cached) / groups);
}

}  // namespace

bool IoPlan::one_read_a_sample() const {
  return !through_library && requests_per_sample <= 1 && bytes_inflated_per_useful_byte == 0;
}

IoPlan plan_io(const Inspection& file, const IoQuestion& question) {
  const Storage storage = storage_of(file);
  IoPlan plan;
  plan.order = question.order;
  if (plan.order == "auto") plan.order = file.samples_per_chunk > 1 ? "window" : "global";
  plan.through_library = !file.arrays.front().library_only.empty();
  const double batch = std::clamp(static_cast<double>(question.batch), 1.0, storage.num_samples);
  const auto cache_bytes = static_cast<double>(question.cache_bytes);
  const bool together = file.samples_per_chunk > 1;
  const bool scattered = together && plan.order == "global";
  const double loads = scattered ? loads_per_group(storage, batch, cache_bytes) : 1;
  const double groups_read = loads * storage.num_groups;
  plan.requests_per_sample = groups_read * storage.chunks_per_group / storage.num_samples;
  plan.bytes_read_per_useful_byte = loads * storage.stored_bytes / storage.useful_bytes;
  if (storage.inflates) {
    plan.bytes_inflated_per_useful_byte = groups_read * storage.group_bytes / storage.useful_bytes;
  }
  return plan;
}

}  // namespace lockstep::data
