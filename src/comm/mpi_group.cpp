#include "mpi_group.h"

#include "mpi_exchange.h"

#include <utility>

namespace lockstep::comm {
namespace {

// Below this MPI's own all-reduce needs fewer messages, but only the exchange has a summation order
// of its own, which floats need; above this many ranks it needs too many messages.
constexpr std::size_t kExchangeFrom_bytes = 8192;
constexpr int kExchangeMost_ranks = 16;
// MPI guarantees tags up to 32767. User messages have tag 0; exchanges take turns with the others.
constexpr int kUserTag = 0;
constexpr int kTagPairs = 16000;

class MpiWork final : public Work {
 public:
  MpiWork(std::shared_ptr<MpiEngine> engine, std::shared_ptr<MpiOperation> operation)
      : engine_(std::move(engine)), operation_(std::move(operation)) {}
  bool done() override { return operation_->finished(); }
  void wait(gpu::StreamHandle /*stream*/) override { engine_->wait(*operation_); }
  double busy_s() override { return operation_->busy_s(); }

 private:
  std::shared_ptr<MpiEngine> engine_;
  std::shared_ptr<MpiOperation> operation_;
};

bool is_half(DType type) { return type == DType::kF16 || type == DType::kBF16; }

MPI_Op mpi_op(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return MPI_SUM;
    case ReduceOp::kMin:
      return MPI_MIN;
    case ReduceOp::kMax:
      return MPI_MAX;
  }
  return MPI_OP_NULL;
}

}  // namespace

MpiGroup::MpiGroup(std::shared_ptr<MpiEngine> engine, MPI_Comm comm, GroupPlace place)
    : engine_(std::move(engine)), comm_(comm), place_(std::move(place)) {}

std::unique_ptr<Work> MpiGroup::post(std::shared_ptr<MpiOperation> operation) {
  engine_->post(operation);
  return std::make_unique<MpiWork>(engine_, std::move(operation));
}

template <class Start>
std::unique_ptr<Work> MpiGroup::post(const char* verb, std::size_t size_bytes, Start start) {
  return post(
      std::make_shared<StartedOperation<Start>>(verb, size_bytes, place_, std::move(start)));
}

int MpiGroup::next_tag() {
  const int tag = 1 + 2 * num_exchanges_;
  num_exchanges_ = (num_exchanges_ + 1) % kTagPairs;
  return tag;
}

std::unique_ptr<Work> MpiGroup::all_reduce_async(
    void* buffer, std::size_t count, DType type, ReduceOp op, gpu::StreamHandle /*ready*/) {
  const std::size_t bytes = count * size_bytes(type);
  const bool by_exchange =
      is_half(type) ||
      ((bytes >= kExchangeFrom_bytes || type == DType::kF32) && size() <= kExchangeMost_ranks);
  if (!by_exchange) {
    return post("all-reduce", bytes, [=, comm = comm_](auto next) {
      check_mpi(
          MPI_Iallreduce(
              MPI_IN_PLACE, buffer, mpi_count(count), mpi_type(type), mpi_op(op), comm, next()),
          "MPI_Iallreduce");
    });
  }
  const Slices slices = aligned_slices(count, size());
  auto* data = static_cast<std::byte*>(buffer);
  std::byte* own = data + slices.begin(rank()) * size_bytes(type);
  const Exchange exchange{comm_, next_tag(), data, own, slices, type, op, true};
  return post(std::make_shared<ExchangeOperation>("all-reduce", bytes, place_, exchange, pool_));
}

std::unique_ptr<Work> MpiGroup::broadcast_async(
    void* buffer, std::size_t count, DType type, int root, gpu::StreamHandle /*ready*/) {
  return post("broadcast", count * size_bytes(type), [=, comm = comm_](auto next) {
    check_mpi(MPI_Ibcast(buffer, mpi_count(count), mpi_type(type), root, comm, next()),
              "MPI_Ibcast");
  });
}

std::unique_ptr<Work> MpiGroup::all_gather_async(
    const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle /*ready*/) {
  const auto own = static_cast<std::size_t>(rank()) * count * size_bytes(type);
  const void* const from = in == static_cast<std::byte*>(out) + own ? MPI_IN_PLACE : in;
  return post("all-gather", count * size_bytes(type), [=, comm = comm_](auto next) {
    const int n = mpi_count(count);
    check_mpi(MPI_Iallgather(from, n, mpi_type(type), out, n, mpi_type(type), comm, next()),
              "MPI_Iallgather");
  });
}

std::unique_ptr<Work> MpiGroup::reduce_scatter_async(const void* in,
                                                     void* out,
                                                     std::size_t count,
                                                     DType type,
                                                     ReduceOp op,
                                                     gpu::StreamHandle /*ready*/) {
  const std::size_t total = count * static_cast<std::size_t>(size());
  const Exchange exchange{comm_,
                          next_tag(),
                          static_cast<const std::byte*>(in),
                          static_cast<std::byte*>(out),
                          Slices{total, count},
                          type,
                          op,
                          false};
  return post(std::make_shared<ExchangeOperation>(
      "reduce-scatter", total * size_bytes(type), place_, exchange, pool_));
}

std::unique_ptr<Work> MpiGroup::all_to_all_async(
    const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle /*ready*/) {
  return post("all-to-all", count * size_bytes(type), [=, comm = comm_](auto next) {
    const int n = mpi_count(count);
    check_mpi(MPI_Ialltoall(in, n, mpi_type(type), out, n, mpi_type(type), comm, next()),
              "MPI_Ialltoall");
  });
}

std::unique_ptr<Work> MpiGroup::send_async(
    const void* buffer, std::size_t count, DType type, int to, gpu::StreamHandle /*ready*/) {
  return post("send", count * size_bytes(type), [=, comm = comm_](auto next) {
    check_mpi(MPI_Isend(buffer, mpi_count(count), mpi_type(type), to, kUserTag, comm, next()),
              "MPI_Isend");
  });
}

std::unique_ptr<Work> MpiGroup::receive_async(
    void* buffer, std::size_t count, DType type, int from, gpu::StreamHandle /*ready*/) {
  return post("receive", count * size_bytes(type), [=, comm = comm_](auto next) {
    check_mpi(MPI_Irecv(buffer, mpi_count(count), mpi_type(type), from, kUserTag, comm, next()),
              "MPI_Irecv");
  });
}

}  // namespace lockstep::comm
