#include "direct_loader.h"
#include "ring_loader.h"

#include <lockstep/data/loader.h>

namespace lockstep::data {

std::unique_ptr<Loader> make_loader(const Dataset& dataset,
                                    gpu::Backend& backend,
                                    const LoaderOptions& options) {
  if (options.reader == "naive") return std::make_unique<DirectLoader>(dataset, backend, options);
  return std::make_unique<RingLoader>(dataset, backend, options);
}

}  // namespace lockstep::data
