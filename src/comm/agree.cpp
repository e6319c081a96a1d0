// One verdict for all ranks after a phase that may fail on any of them.
#include <lockstep/base/error.h>
#include <lockstep/comm/world.h>

#include <optional>

namespace lockstep::comm {
namespace {

std::optional<Failure> run_phase(int rank, const std::function<void()>& phase) {
  try {
    phase();
    return std::nullopt;
  } catch (const AgreedError&) {
    throw;  // all ranks have it already
  } catch (...) {
    const Error error = current_error();
    if (error.code() == ExitCode::kPeerLost) throw;  // the control plane cannot agree any more
    return Failure{error.code(), rank, error.what()};
  }
}

}  // namespace

void agree(World& world, const std::function<void()>& phase) {
  const std::optional<Failure> own = run_phase(world.rank(), phase);
  std::int64_t lowest = own ? world.rank() : world.size();
  all_reduce(world.control(), std::span(&lowest, 1), ReduceOp::kMin);
  if (lowest == world.size()) return;
  Failure failure = own.value_or(Failure{});
  failure.rank = static_cast<int>(lowest);
  std::int64_t code = static_cast<std::int64_t>(failure.code);
  broadcast(world.control(), std::as_writable_bytes(std::span(&code, 1)), failure.rank);
  failure.code = static_cast<ExitCode>(code);
  failure.cause = broadcast_text(world.control(), failure.cause, failure.rank);
  throw AgreedError(failure);
}

}  // namespace lockstep::comm
