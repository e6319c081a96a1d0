// Memory that the ranks of a host share for reading: decoded samples and inflated chunks.
#pragma once

#include <lockstep/comm/world.h>
#include <lockstep/data/loader.h>

#include <memory>

namespace lockstep::train {

struct SharedInput {
  std::unique_ptr<comm::Memory> samples;  // null without data.cache_mib
  std::unique_ptr<comm::Memory> chunks;   // null without window order, with one rank on each host,
                                          // and where a host has no room: ranks inflate alone then

  // Hands both to a loader of this rank.
  void lend_to(data::LoaderOptions& loading) const;
};

// What `loading` needs of `dataset`, whose rank may be any. Collective.
// Throws: AgreedError(kOutOfMemory) when a host has no room for data.cache_mib.
SharedInput share_input(comm::World& world,
                        const data::Dataset& dataset,
                        const data::Options& options,
                        const data::LoaderOptions& loading);

}  // namespace lockstep::train
