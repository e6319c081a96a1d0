// Buffers that are used again and again, so that a collective does not fault fresh pages in.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace lockstep::comm {

// Thread: any (blocks come back from whoever drops the last reference to an operation).
class ScratchPool {
 public:
  struct Block {
    std::unique_ptr<std::byte[]> data;
    std::size_t size_bytes = 0;
  };

  // The smallest free block that is large enough, else a new one. Contents are arbitrary.
  Block take(std::size_t size_bytes);
  void give_back(Block block);
  std::size_t num_free();

 private:
  std::mutex mutex_;
  std::vector<Block> free_;  // guarded by mutex_
};

}  // namespace lockstep::comm
