#include "direct_loader.h"

#include <lockstep/base/error.h>

#include <utility>

namespace lockstep::data {

DirectLoader::DirectLoader(const Dataset& dataset,
                           gpu::Backend& backend,
                           const LoaderOptions& options)
    : filler_(dataset, backend, options) {
  for (std::int64_t i = 0; i < options.prefetch; ++i) slabs_.push_back(filler_.make_slab(i));
  held_.assign(slabs_.size(), false);
}

const Batch* DirectLoader::next() {
  LOCKSTEP_CHECK(!held_[turn_], "next() while every slab is held: release one");
  Slab& slab = *slabs_[turn_];
  if (!std::exchange(failed_, false)) {
    if (!filler_.begin(slab)) return nullptr;
    filler_.fill(slab);
    if (slab.error) {
      failed_ = true;
      std::rethrow_exception(std::exchange(slab.error, nullptr));
    }
  }
  held_[turn_] = true;
  turn_ = (turn_ + 1) % slabs_.size();
  return &slab.batch;
}

void DirectLoader::release(const Batch* batch, gpu::Event* reusable) {
  const auto slab = static_cast<std::size_t>(batch->slab);
  LOCKSTEP_CHECK(held_[slab], "release() of a batch that is not held");
  slabs_[slab]->reusable = reusable;
  held_[slab] = false;
}

}  // namespace lockstep::data
