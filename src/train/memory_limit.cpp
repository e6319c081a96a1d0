#include "memory_limit.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/units.h>

#include <c10/core/Allocator.h>

namespace lockstep::train {
namespace {

thread_local const MemoryLimit* current_limit = nullptr;

// In front of LibTorch's allocator for the CPU.
class LimitedAllocator final : public c10::Allocator {
 public:
  explicit LimitedAllocator(c10::Allocator& inner) : inner_(inner) {}

  c10::DataPtr allocate(std::size_t count) override {
    if (current_limit != nullptr) current_limit->check(count);
    return inner_.allocate(count);
  }
  c10::DeleterFnPtr raw_deleter() const override { return inner_.raw_deleter(); }
  bool is_simple_data_ptr(const c10::DataPtr& pointer) const override {
    return inner_.is_simple_data_ptr(pointer);
  }
  void copy_data(void* to, const void* from, std::size_t count) const override {
    inner_.copy_data(to, from, count);
  }

 private:
  c10::Allocator& inner_;
};

// Once in a process: tensors may outlive any limit.
void install() {
  static LimitedAllocator* const allocator = [] {
    auto* const made = new LimitedAllocator(*c10::GetAllocator(c10::kCPU));
    c10::SetAllocator(c10::kCPU, made);
    return made;
  }();
  static_cast<void>(allocator);
}

}  // namespace

MemoryLimit::MemoryLimit(const MemoryWatch& watch, std::int64_t limit_bytes)
    : watch_(watch), limit_bytes_(limit_bytes) {
  if (limit_bytes == 0) return;
  install();
  current_limit = this;
}

MemoryLimit::~MemoryLimit() {
  if (current_limit == this) current_limit = nullptr;
}

void MemoryLimit::check(std::size_t more_bytes) const {
  const std::int64_t live = watch_.live_bytes();
  if (live + static_cast<std::int64_t>(more_bytes) <= limit_bytes_) return;
  const auto text = [](std::int64_t bytes) { return bytes_text(static_cast<double>(bytes)); };
  throw Error(
      ExitCode::kOutOfMemory,
      format("out of memory: {} more than the {} in use would pass memory.limit_mib: lower "
             "train.batch_per_rank, set memory.recompute, or let memory.on_oom = shrink do so",
             text(static_cast<std::int64_t>(more_bytes)),
             text(live)));
}

}  // namespace lockstep::train
