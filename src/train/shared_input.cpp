#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/log.h>
#include <lockstep/train/shared_input.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace lockstep::train {
namespace {

std::span<std::byte> bytes_of(const std::unique_ptr<comm::Memory>& memory) {
  if (!memory) return {};
  return {static_cast<std::byte*>(memory->data()), memory->size_bytes()};
}

// Of the host with most of them, so that all hosts ask for as much memory.
std::int64_t ranks_of_a_host(comm::World& world) {
  std::array<std::int64_t, 1> most{world.local_size()};
  comm::all_reduce(world.control(), most, comm::ReduceOp::kMax);
  return most[0];
}

std::unique_ptr<comm::Memory> allocate_cache(comm::World& world, std::size_t size_bytes) {
  try {
    return world.allocate_shared(size_bytes);
  } catch (const comm::AgreedError& error) {
    if (error.code() != ExitCode::kOutOfMemory) throw;
    throw comm::AgreedError({error.code(),
                             error.rank(),
                             format("{}: lower data.cache_mib, or make /dev/shm larger (a "
                                    "container: --shm-size)",
                                    error.what())});
  }
}

// Null where a host has no room: this memory saves time, and no run ends for want of it.
std::unique_ptr<comm::Memory> allocate_if_room(comm::World& world, std::size_t size_bytes) {
  try {
    return world.allocate_shared(size_bytes);
  } catch (const comm::AgreedError& error) {
    if (error.code() != ExitCode::kOutOfMemory) throw;
    if (world.rank() == 0) {
      log::warning(
          "window order: the ranks of a host inflate every chunk for themselves: {} on the host of "
          "rank {}; make /dev/shm larger (a container: --shm-size)",
          error.what(),
          error.rank());
    }
    return nullptr;
  }
}

}  // namespace

void SharedInput::lend_to(data::LoaderOptions& loading) const {
  loading.cache = bytes_of(samples);
  loading.chunks = bytes_of(chunks);
}

SharedInput share_input(comm::World& world,
                        const data::Dataset& dataset,
                        const data::Options& options,
                        const data::LoaderOptions& loading) {
  SharedInput shared;
  const std::size_t sample_bytes = data::cache_bytes(dataset, options);
  if (sample_bytes > 0) shared.samples = allocate_cache(world, sample_bytes);
  const std::int64_t ranks = ranks_of_a_host(world);
  const std::size_t chunk_bytes = data::shared_chunk_bytes(dataset, loading, ranks);
  if (ranks > 1 && chunk_bytes > 0) shared.chunks = allocate_if_room(world, chunk_bytes);
  return shared;
}

}  // namespace lockstep::train
