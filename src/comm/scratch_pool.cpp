#include "scratch_pool.h"

#include <algorithm>
#include <utility>

namespace lockstep::comm {

ScratchPool::Block ScratchPool::take(std::size_t size_bytes) {
  {
    const std::lock_guard lock(mutex_);
    auto best = free_.end();
    for (auto block = free_.begin(); block != free_.end(); ++block) {
      if (block->size_bytes < size_bytes) continue;
      if (best == free_.end() || block->size_bytes < best->size_bytes) best = block;
    }
    if (best != free_.end()) {
      Block found = std::move(*best);
      free_.erase(best);
      return found;
    }
  }
  return {std::make_unique_for_overwrite<std::byte[]>(size_bytes), size_bytes};
}

void ScratchPool::give_back(Block block) {
  if (block.data == nullptr) return;
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(block));
}

std::size_t ScratchPool::num_free() {
  const std::lock_guard lock(mutex_);
  return free_.size();
}

}  // namespace lockstep::comm
