// Memory of which every rank of a host has a piece of its own and sees the pieces of the others.
// Knows neither MPI nor what the pieces are used for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace lockstep::comm {

struct SharedPieces {
  std::vector<std::byte*> base;  // by rank of the host, as mapped in this process
  std::size_t size_bytes = 0;    // of each piece
};

// A place in a piece: the same words name the corresponding place of every rank.
struct SharedPlace {
  std::uint32_t piece = 0;  // index into the registry
  std::uint64_t offset = 0;
};

// All pieces of this process. Ranks add them in the same order, so that indices agree.
// Thread: any.
class PieceRegistry {
 public:
  explicit PieceRegistry(int local_rank) : local_rank_(static_cast<std::size_t>(local_rank)) {}
  void add(SharedPieces pieces);
  // Where [data, data + size_bytes) lies in this rank's own pieces; nothing when it does not.
  std::optional<SharedPlace> find(const void* data, std::size_t size_bytes) const;
  // The same place in the piece of `local_rank`.
  std::byte* at(const SharedPlace& place, int local_rank) const;

 private:
  std::size_t local_rank_;
  mutable std::mutex mutex_;
  std::vector<SharedPieces> pieces_;  // guarded by mutex_
};

}  // namespace lockstep::comm
