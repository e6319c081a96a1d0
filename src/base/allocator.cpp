#include <lockstep/base/allocator.h>
#include <lockstep/base/process.h>

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace lockstep {
namespace {

// The largest power of two that mallopt's int takes: activations up to 1 GiB come from the heap.
constexpr int kMmapFrom_bytes = 1 << 30;
constexpr int kNeverTrim = -1;

// Below, rounding costs more than huge pages bring.
constexpr std::size_t kHugeFrom_bytes = std::size_t{4} << 20;

}  // namespace

void tune_allocator() {
  if (!environment("MALLOC_MMAP_THRESHOLD_")) mallopt(M_MMAP_THRESHOLD, kMmapFrom_bytes);
  if (!environment("MALLOC_TRIM_THRESHOLD_")) mallopt(M_TRIM_THRESHOLD, kNeverTrim);
}

void prefer_huge_pages(void* data, std::size_t size_bytes) {
  if (size_bytes < kHugeFrom_bytes) return;
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(data) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(data) + size_bytes) / page * page;
  // A wish: where it cannot be granted nothing changes.
  static_cast<void>(madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE));
}

}  // namespace lockstep
