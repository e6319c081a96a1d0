#include "host_memory.h"

#include <lockstep/base/allocator.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace lockstep::comm {
namespace {

constexpr std::size_t kAlignment = 128;

class HostMemory final : public Memory {
 public:
  explicit HostMemory(std::size_t size_bytes) : size_bytes_(size_bytes) {
    const std::size_t least = size_bytes == 0 ? 1 : size_bytes;
    const std::size_t rounded = (least + kAlignment - 1) / kAlignment * kAlignment;
    data_ = std::aligned_alloc(kAlignment, rounded);
    if (data_ == nullptr) throw std::bad_alloc();
    prefer_huge_pages(data_, rounded);
    std::memset(data_, 0, rounded);
  }
  ~HostMemory() override { std::free(data_); }
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;

  void* data() override { return data_; }
  std::size_t size_bytes() const override { return size_bytes_; }

 private:
  void* data_ = nullptr;
  std::size_t size_bytes_;
};

}  // namespace

std::unique_ptr<Memory> make_host_memory(std::size_t size_bytes) {
  return std::make_unique<HostMemory>(size_bytes);
}

}  // namespace lockstep::comm
