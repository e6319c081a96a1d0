#include "mpi_operation.h"

#include <lockstep/base/clock.h>
#include <lockstep/base/format.h>

#include <array>

namespace lockstep::comm {

std::string MpiOperation::text() const { return operation_text(verb_, size_bytes_, place_); }

void MpiOperation::finish(std::optional<Error> failure) {
  end_s_ = now_s();
  failure_ = std::move(failure);
  state_.store(failure_ ? kFailed : kDone, std::memory_order_release);
  state_.notify_all();
}

void MpiOperation::throw_if_failed() const {
  if (state_.load(std::memory_order_acquire) == kFailed) throw Error(*failure_);
}

void check_mpi(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw Error(ExitCode::kPeerLost,
              format("{} failed: {}; a peer or the network was lost, see the other ranks' logs",
                     call,
                     std::string_view(text.data(), static_cast<std::size_t>(length))));
}

MPI_Request* RequestOperation::next() {
  requests_.push_back(MPI_REQUEST_NULL);
  return &requests_.back();
}

bool RequestOperation::advance() {
  int done = 0;
  check_mpi(
      MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE),
      "MPI_Testall");
  return done != 0;
}

}  // namespace lockstep::comm
