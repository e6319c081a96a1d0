// Memory that the ranks of one host share: a window of MPI (MPI-3.1, section 11.2.3) that the first
// rank of the host provides.
#pragma once

#include "mpi_operation.h"

#include <lockstep/comm/world.h>

#include <memory>

namespace lockstep::comm {

// Started on the communication thread, where its calls block: meant for start-up, when nothing else
// is under way.
class SharedWindow final : public MpiOperation {
 public:
  SharedWindow(MPI_Comm world, std::size_t size_bytes, const GroupPlace& place);

  void start() override;
  bool advance() override { return true; }
  // A view; the window owns the bytes. Requires: finished.
  std::unique_ptr<Memory> memory() const;
  // Collective. Thread: the one that ends MPI, after the communication thread.
  void free();

 private:
  MPI_Comm world_;
  std::size_t size_bytes_;
  MPI_Comm node_ = MPI_COMM_NULL;
  MPI_Win window_ = MPI_WIN_NULL;
  std::byte* data_ = nullptr;
};

// Throws: Error(kOutOfMemory) when the host's shared memory has no room for so many bytes; writing
// to a window beyond it would end the process.
void check_shared_room(std::size_t size_bytes);

}  // namespace lockstep::comm
