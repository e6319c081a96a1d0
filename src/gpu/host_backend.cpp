// The host as a device: streams are in order with the caller, so every point in them is reached
// when the call that made it returns. Must not know CUDA.
#include <lockstep/base/clock.h>
#include <lockstep/base/error.h>
#include <lockstep/base/process.h>
#include <lockstep/gpu/device.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace lockstep::gpu {
namespace {

class HostEvent final : public Event {
 public:
  void record(StreamHandle /*stream*/) override { recorded_s_ = now_s(); }
  void make_wait(StreamHandle /*stream*/) override {}
  bool done() override { return true; }
  void synchronize() override {}
  double elapsed_ms(Event& earlier) override {
    const auto* other = dynamic_cast<HostEvent*>(&earlier);
    LOCKSTEP_CHECK(other != nullptr, "both events must be of the host backend");
    return (recorded_s_ - other->recorded_s_) * 1e3;
  }

 private:
  double recorded_s_ = 0;
};

class HostStream final : public Stream {
 public:
  StreamHandle handle() const override { return {}; }
};

class HostBuffer final : public PinnedBuffer {
 public:
  // Large buffers lie on huge pages where the system has them: fewer page faults and TLB misses.
  explicit HostBuffer(std::size_t size_bytes)
      : alignment_(size_bytes < kHugePage ? kAlignment : kHugePage),
        data_(static_cast<std::byte*>(std::aligned_alloc(alignment_, rounded(size_bytes)))),
        size_bytes_(size_bytes) {
    if (data_ == nullptr) throw std::bad_alloc();
    if (alignment_ == kHugePage) madvise(data_, rounded(size_bytes), MADV_HUGEPAGE);
  }
  ~HostBuffer() override { std::free(data_); }
  HostBuffer(const HostBuffer&) = delete;
  HostBuffer& operator=(const HostBuffer&) = delete;

  std::byte* data() override { return data_; }
  std::size_t size_bytes() const override { return size_bytes_; }

 private:
  static constexpr std::size_t kAlignment = 64;
  static constexpr std::size_t kHugePage = std::size_t{2} << 20;
  std::size_t rounded(std::size_t size) const {
    const std::size_t least = size == 0 ? 1 : size;
    return (least + alignment_ - 1) / alignment_ * alignment_;
  }
  std::size_t alignment_;
  std::byte* data_;
  std::size_t size_bytes_;
};

class HostBackend final : public Backend {
 public:
  bool is_cuda() const override { return false; }
  int device_count() override { return 1; }
  DeviceInfo info(int index) override {
    LOCKSTEP_CHECK(index == 0, "the host is one device");
    DeviceInfo result;
    result.name = "CPU";
    result.uuid = "host-" + host_name();
    result.memory_total_bytes =
        std::int64_t{sysconf(_SC_PHYS_PAGES)} * std::int64_t{sysconf(_SC_PAGESIZE)};
    return result;
  }
  void set_device(int index) override { LOCKSTEP_CHECK(index == 0, "the host is one device"); }
  std::unique_ptr<Stream> make_stream(bool /*high_priority*/) override {
    return std::make_unique<HostStream>();
  }
  std::unique_ptr<Event> make_event(bool /*timing*/) override {
    return std::make_unique<HostEvent>();
  }
  std::unique_ptr<PinnedBuffer> make_pinned(std::size_t size_bytes) override {
    return std::make_unique<HostBuffer>(size_bytes);
  }
  void copy_to_device_async(void* to,
                            const void* from,
                            std::size_t size_bytes,
                            StreamHandle /*stream*/) override {
    if (size_bytes > 0) std::memcpy(to, from, size_bytes);
  }
  void copy_to_host_async(void* to,
                          const void* from,
                          std::size_t size_bytes,
                          StreamHandle /*stream*/) override {
    if (size_bytes > 0) std::memcpy(to, from, size_bytes);
  }
  void synchronize(StreamHandle /*stream*/) override {}
  StreamHandle compute_stream() override { return {}; }
  std::optional<DeviceSample> sample(int /*index*/) override { return std::nullopt; }
  void push_range(const char* /*name*/) override {}
  void pop_range() override {}
};

}  // namespace

Backend& host_backend() {
  // Never destroyed: events and buffers may outlive every scope but the process.
  static auto* const backend = new HostBackend();
  return *backend;
}

}  // namespace lockstep::gpu
