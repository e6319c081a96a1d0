#include <lockstep/base/allocator.h>
#include <lockstep/base/process.h>

#include <malloc.h>

namespace lockstep {
namespace {

// The largest power of two that mallopt's int takes: activations up to 1 GiB come from the heap.
constexpr int kMmapFrom_bytes = 1 << 30;
constexpr int kNeverTrim = -1;

}  // namespace

void tune_allocator() {
  if (!environment("MALLOC_MMAP_THRESHOLD_")) mallopt(M_MMAP_THRESHOLD, kMmapFrom_bytes);
  if (!environment("MALLOC_TRIM_THRESHOLD_")) mallopt(M_TRIM_THRESHOLD, kNeverTrim);
}

}  // namespace lockstep
