#include <lockstep/gpu/device.h>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <thread>

namespace lockstep::gpu {
namespace {

TEST(HostBackend, IsOneDeviceWithoutCuda) {
  Backend& backend = host_backend();
  EXPECT_FALSE(backend.is_cuda());
  EXPECT_EQ(backend.device_count(), 1);
  EXPECT_GT(backend.info(0).memory_total_bytes, 0);
  EXPECT_FALSE(backend.info(0).has_bf16) << "a CPU recipe never picks bf16 by itself";
  EXPECT_FALSE(backend.sample(0).has_value());
  EXPECT_EQ(backend.compute_stream().native, nullptr);
  EXPECT_EQ(&host_backend(), &backend);
}

TEST(HostBackend, EventsMeasureTheTimeBetweenTheirRecords) {
  const auto first = host_backend().make_event(true);
  const auto second = host_backend().make_event(true);
  first->record({});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  second->record({});
  EXPECT_TRUE(second->done());
  EXPECT_GE(second->elapsed_ms(*first), 20.0);
  EXPECT_LT(second->elapsed_ms(*first), 2000.0);
}

TEST(HostBackend, CopiesAreDoneWhenTheCallReturns) {
  const auto stream = host_backend().make_stream(true);
  EXPECT_EQ(stream->handle().native, nullptr);
  const char text[] = "bytes";
  char there[sizeof(text)] = {};
  char back[sizeof(text)] = {};
  host_backend().copy_to_device_async(there, text, sizeof(text), stream->handle());
  EXPECT_STREQ(there, text);
  host_backend().copy_to_host_async(back, there, sizeof(text), stream->handle());
  EXPECT_STREQ(back, text);
}

TEST(HostBackend, PinnedMemoryIsAligned) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1000}}) {
    const auto buffer = host_backend().make_pinned(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer->data()) % 64, 0U);
    EXPECT_EQ(buffer->size_bytes(), size);
    if (size > 0) std::memset(buffer->data(), 1, size);
  }
}

}  // namespace
}  // namespace lockstep::gpu
