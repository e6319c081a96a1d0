#include "mpi_exchange.h"

#include "reduce.h"

#include <lockstep/base/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace lockstep::comm {

MPI_Datatype mpi_type(DType type) {
  switch (type) {
    case DType::kU8:
      return MPI_UINT8_T;
    case DType::kF16:
    case DType::kBF16:
      return MPI_UINT16_T;
    case DType::kI32:
      return MPI_INT32_T;
    case DType::kI64:
      return MPI_INT64_T;
    case DType::kF32:
      return MPI_FLOAT;
    case DType::kF64:
      return MPI_DOUBLE;
  }
  return MPI_BYTE;
}

int mpi_count(std::size_t count) {
  if (count > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw internal_error(format("{} elements are too many for one MPI call", count));
  }
  return static_cast<int>(count);
}

ExchangeOperation::ExchangeOperation(const char* verb,
                                     std::size_t size_bytes,
                                     const GroupPlace& place,
                                     const Exchange& exchange,
                                     std::shared_ptr<ScratchPool> pool)
    : RequestOperation(verb, size_bytes, place),
      exchange_(exchange),
      rank_(place.rank),
      size_(place.size),
      pool_(std::move(pool)) {}

ExchangeOperation::~ExchangeOperation() { pool_->give_back(std::move(scratch_)); }

std::byte* ExchangeOperation::received(int from) const {
  const std::size_t bytes = exchange_.slices.size(rank_) * size_bytes(exchange_.type);
  const int place = from < rank_ ? from : from - 1;
  return scratch_.data.get() + static_cast<std::size_t>(place) * bytes;
}

void ExchangeOperation::start() {
  const std::size_t element = size_bytes(exchange_.type);
  const std::size_t own = exchange_.slices.size(rank_);
  scratch_ = pool_->take(own * element * static_cast<std::size_t>(size_ - 1));
  for (int distance = 1; distance < size_ && own > 0; ++distance) {
    const int from = peer(size_ - distance);
    check_mpi(MPI_Irecv(received(from),
                        mpi_count(own),
                        mpi_type(exchange_.type),
                        from,
                        exchange_.tag,
                        exchange_.comm,
                        next()),
              "MPI_Irecv");
  }
  for (int distance = 1; distance < size_; ++distance) {
    const int to = peer(distance);
    const std::size_t count = exchange_.slices.size(to);
    if (count == 0) continue;
    check_mpi(MPI_Isend(exchange_.in + exchange_.slices.begin(to) * element,
                        mpi_count(count),
                        mpi_type(exchange_.type),
                        to,
                        exchange_.tag,
                        exchange_.comm,
                        next()),
              "MPI_Isend");
  }
}

bool ExchangeOperation::advance() {
  if (!RequestOperation::advance()) return false;
  if (gathering_) return true;
  reduce_own();
  if (!exchange_.gather) return true;
  start_gather();
  return RequestOperation::advance();
}

void ExchangeOperation::reduce_own() {
  const std::size_t element = size_bytes(exchange_.type);
  std::vector<const void*> sources(static_cast<std::size_t>(size_));
  for (int rank = 0; rank < size_; ++rank) {
    sources[static_cast<std::size_t>(rank)] =
        rank == rank_ ? exchange_.in + exchange_.slices.begin(rank_) * element : received(rank);
  }
  reduce_in_order(
      sources, exchange_.out, exchange_.slices.size(rank_), exchange_.type, exchange_.op);
}

void ExchangeOperation::start_gather() {
  gathering_ = true;
  clear();
  const std::size_t element = size_bytes(exchange_.type);
  // In an all-reduce `out` is a slice of the same buffer, so this is the caller's own memory.
  std::byte* buffer = exchange_.out - exchange_.slices.begin(rank_) * element;
  for (int distance = 1; distance < size_; ++distance) {
    const int from = peer(size_ - distance);
    const std::size_t count = exchange_.slices.size(from);
    if (count == 0) continue;
    check_mpi(MPI_Irecv(buffer + exchange_.slices.begin(from) * element,
                        mpi_count(count),
                        mpi_type(exchange_.type),
                        from,
                        exchange_.tag + 1,
                        exchange_.comm,
                        next()),
              "MPI_Irecv");
  }
  const std::size_t own = exchange_.slices.size(rank_);
  for (int distance = 1; distance < size_ && own > 0; ++distance) {
    check_mpi(MPI_Isend(exchange_.out,
                        mpi_count(own),
                        mpi_type(exchange_.type),
                        peer(distance),
                        exchange_.tag + 1,
                        exchange_.comm,
                        next()),
              "MPI_Isend");
  }
}

}  // namespace lockstep::comm
