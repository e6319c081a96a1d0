// Memory that the ranks of one host share: a window of MPI (MPI-3.1, section 11.2.3).
#pragma once

#include "mpi_operation.h"
#include "shared_pieces.h"

#include <lockstep/comm/world.h>

#include <memory>
#include <string>
#include <vector>

namespace lockstep::comm {

enum class WindowKind {
  kOneAHost,  // one piece, provided by the first rank of the host
  kOneARank,  // a piece for each rank of the host, each seen by all
};

// Started on the communication thread, where its calls block: meant for start-up, when nothing else
// is under way.
class SharedWindow final : public MpiOperation {
 public:
  SharedWindow(MPI_Comm world, WindowKind kind, std::size_t size_bytes, const GroupPlace& place);

  void start() override;
  bool advance() override { return true; }
  // Requires for both: finished. The window owns the bytes, zeroed and aligned to 128.
  // A view of the host's piece, or of this rank's own.
  std::unique_ptr<Memory> memory() const;
  const SharedPieces& pieces() const { return pieces_; }
  // Collective. Thread: the one that ends MPI, after the communication thread.
  void free();

 private:
  MPI_Comm world_;
  WindowKind kind_;
  std::size_t size_bytes_;
  MPI_Comm node_ = MPI_COMM_NULL;
  MPI_Win window_ = MPI_WIN_NULL;
  int own_ = 0;  // of pieces_
  SharedPieces pieces_;
};

// Why the host's shared memory has no room for so many bytes ("12 GiB of shared memory are asked
// for, /dev/shm has 64 MiB free"); empty when it has. Writing to a window beyond it would end the
// process.
std::string missing_shared_room(std::size_t size_bytes);

}  // namespace lockstep::comm
