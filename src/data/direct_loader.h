// The loader without threads: reads inside next(). For comparison with the ring only.
#pragma once

#include "batch_filler.h"

#include <lockstep/data/loader.h>

#include <memory>
#include <vector>

namespace lockstep::data {

class DirectLoader final : public Loader {
 public:
  DirectLoader(const Dataset& dataset, gpu::Backend& backend, const LoaderOptions& options);

  const Batch* next() override;
  void release(const Batch* batch, gpu::Event* reusable) override;
  const Sampler& sampler() const override { return filler_.sampler(); }

 private:
  BatchFiller filler_;
  std::vector<std::unique_ptr<Slab>> slabs_;
  std::vector<bool> held_;
  std::size_t turn_ = 0;
  bool failed_ = false;  // the slab of this turn is padding that was not delivered yet
};

}  // namespace lockstep::data
