#include "mpi_shared_window.h"

#include <lockstep/base/format.h>
#include <lockstep/base/units.h>

#include <sys/statvfs.h>

#include <cstdint>
#include <cstring>

namespace lockstep::comm {
namespace {

constexpr std::uintptr_t kAlignment = 128;
constexpr const char* kSharedFolder = "/dev/shm";

class SharedMemory final : public Memory {
 public:
  SharedMemory(std::byte* data, std::size_t size_bytes) : data_(data), size_bytes_(size_bytes) {}
  void* data() override { return data_; }
  std::size_t size_bytes() const override { return size_bytes_; }

 private:
  std::byte* data_;
  std::size_t size_bytes_;
};

}  // namespace

SharedWindow::SharedWindow(MPI_Comm world, std::size_t size_bytes, const GroupPlace& place)
    : MpiOperation("sharing", size_bytes, place), world_(world), size_bytes_(size_bytes) {}

void SharedWindow::start() {
  check_mpi(MPI_Comm_split_type(world_, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node_),
            "MPI_Comm_split_type");
  int rank = 0;
  MPI_Comm_rank(node_, &rank);
  const std::size_t own = rank == 0 ? size_bytes_ + kAlignment : 0;
  void* base = nullptr;
  check_mpi(
      MPI_Win_allocate_shared(static_cast<MPI_Aint>(own), 1, MPI_INFO_NULL, node_, &base, &window_),
      "MPI_Win_allocate_shared");
  MPI_Aint size = 0;
  int unit = 0;
  check_mpi(MPI_Win_shared_query(window_, 0, &size, &unit, &base), "MPI_Win_shared_query");
  // Windows are mapped by pages: every rank of the host rounds up by as much.
  const auto address = reinterpret_cast<std::uintptr_t>(base);
  data_ = static_cast<std::byte*>(base) + (kAlignment - address % kAlignment) % kAlignment;
  if (rank == 0) std::memset(data_, 0, size_bytes_);
  check_mpi(MPI_Barrier(node_), "MPI_Barrier");
}

std::unique_ptr<Memory> SharedWindow::memory() const {
  return std::make_unique<SharedMemory>(data_, size_bytes_);
}

void SharedWindow::free() {
  MPI_Win_free(&window_);
  MPI_Comm_free(&node_);
}

void check_shared_room(std::size_t size_bytes) {
  struct statvfs room {};
  if (statvfs(kSharedFolder, &room) != 0) return;  // elsewhere then: MPI says what it lacks
  const auto free_bytes =
      static_cast<std::uint64_t>(room.f_bavail) * static_cast<std::uint64_t>(room.f_frsize);
  if (size_bytes <= free_bytes) return;
  throw Error(ExitCode::kOutOfMemory,
              format("{} of shared memory are asked for, {} has {} free: lower data.cache_mib",
                     bytes_text(static_cast<double>(size_bytes)),
                     kSharedFolder,
                     bytes_text(static_cast<double>(free_bytes))));
}

}  // namespace lockstep::comm
