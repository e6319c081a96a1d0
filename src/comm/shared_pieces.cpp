#include "shared_pieces.h"

#include <functional>
#include <utility>

namespace lockstep::comm {

void PieceRegistry::add(SharedPieces pieces) {
  const std::lock_guard lock(mutex_);
  pieces_.push_back(std::move(pieces));
}

std::optional<SharedPlace> PieceRegistry::find(const void* data, std::size_t size_bytes) const {
  const std::less_equal<const std::byte*> before;
  const auto* const begin = static_cast<const std::byte*>(data);
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const std::byte* const base = pieces_[i].base[local_rank_];
    if (before(base, begin) && before(begin + size_bytes, base + pieces_[i].size_bytes)) {
      return SharedPlace{static_cast<std::uint32_t>(i), static_cast<std::uint64_t>(begin - base)};
    }
  }
  return std::nullopt;
}

std::byte* PieceRegistry::at(const SharedPlace& place, int local_rank) const {
  const std::lock_guard lock(mutex_);
  return pieces_[place.piece].base[static_cast<std::size_t>(local_rank)] + place.offset;
}

}  // namespace lockstep::comm
