#include "batch_filler.h"
#include "direct_loader.h"
#include "ring_loader.h"
#include "sample_cache.h"

#include <lockstep/data/loader.h>

#include <algorithm>

namespace lockstep::data {

std::size_t cache_bytes(const Dataset& dataset, const Options& options) {
  const std::size_t budget = static_cast<std::size_t>(options.cache_mib) << 20;
  const DatasetInfo& info = dataset.info();
  std::size_t needed = SampleCache::table_bytes(info.num_samples);
  for (std::int64_t index = 0; index < info.num_samples && needed < budget; ++index) {
    const ImageSize size = dataset.image_size(index);
    needed += SampleCache::record_bytes(static_cast<std::size_t>(size.height) *
                                        static_cast<std::size_t>(size.width) *
                                        static_cast<std::size_t>(info.channels));
  }
  return std::min(budget, needed);
}

std::size_t shared_chunk_bytes(const Dataset& dataset,
                               const LoaderOptions& options,
                               std::int64_t processes) {
  if (!options.sampler.uses_windows()) return 0;
  return dataset.shared_chunk_bytes(shared_chunks_to_keep(options, processes));
}

std::unique_ptr<Loader> make_loader(const Dataset& dataset,
                                    gpu::Backend& backend,
                                    const LoaderOptions& options) {
  if (options.reader == "naive") return std::make_unique<DirectLoader>(dataset, backend, options);
  return std::make_unique<RingLoader>(dataset, backend, options);
}

}  // namespace lockstep::data
