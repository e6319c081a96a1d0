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

SharedWindow::SharedWindow(MPI_Comm world,
                           WindowKind kind,
                           std::size_t size_bytes,
                           const GroupPlace& place)
    : MpiOperation("sharing", size_bytes, place),
      world_(world),
      kind_(kind),
      size_bytes_(size_bytes) {}

void SharedWindow::start() {
  check_mpi(MPI_Comm_split_type(world_, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node_),
            "MPI_Comm_split_type");
  int rank = 0;
  int size = 1;
  MPI_Comm_rank(node_, &rank);
  MPI_Comm_size(node_, &size);
  const bool provides = kind_ == WindowKind::kOneARank || rank == 0;
  const std::size_t rounded = (size_bytes_ + kAlignment - 1) / kAlignment * kAlignment;
  const std::size_t provided = provides ? rounded + kAlignment : 0;
  void* base = nullptr;
  check_mpi(MPI_Win_allocate_shared(
                static_cast<MPI_Aint>(provided), 1, MPI_INFO_NULL, node_, &base, &window_),
            "MPI_Win_allocate_shared");
  const int num_pieces = kind_ == WindowKind::kOneARank ? size : 1;
  own_ = kind_ == WindowKind::kOneARank ? rank : 0;
  pieces_.size_bytes = size_bytes_;
  for (int piece = 0; piece < num_pieces; ++piece) {
    MPI_Aint bytes = 0;
    int unit = 0;
    check_mpi(MPI_Win_shared_query(window_, piece, &bytes, &unit, &base), "MPI_Win_shared_query");
    // Windows are mapped by pages: every rank of the host rounds up by as much.
    const auto address = reinterpret_cast<std::uintptr_t>(base);
    pieces_.base.push_back(static_cast<std::byte*>(base) +
                           (kAlignment - address % kAlignment) % kAlignment);
  }
  // Touched by its owner first, so that it lies in the memory next to it.
  if (provides) std::memset(pieces_.base[static_cast<std::size_t>(own_)], 0, size_bytes_);
  check_mpi(MPI_Barrier(node_), "MPI_Barrier");
}

std::unique_ptr<Memory> SharedWindow::memory() const {
  return std::make_unique<SharedMemory>(pieces_.base[static_cast<std::size_t>(own_)], size_bytes_);
}

void SharedWindow::free() {
  MPI_Win_free(&window_);
  MPI_Comm_free(&node_);
}

std::string missing_shared_room(std::size_t size_bytes) {
  struct statvfs room {};
  if (statvfs(kSharedFolder, &room) != 0) return {};  // elsewhere then: MPI says what it lacks
  const auto free_bytes =
      static_cast<std::uint64_t>(room.f_bavail) * static_cast<std::uint64_t>(room.f_frsize);
  if (size_bytes <= free_bytes) return {};
  return format("{} of shared memory are asked for, {} has {} free",
                bytes_text(static_cast<double>(size_bytes)),
                kSharedFolder,
                bytes_text(static_cast<double>(free_bytes)));
}

}  // namespace lockstep::comm
