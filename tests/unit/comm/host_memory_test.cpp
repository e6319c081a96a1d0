#include "comm/host_memory.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace lockstep::comm {
namespace {

TEST(HostMemory, IsAlignedZeroedAndAsLargeAsAsked) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{100000}}) {
    const auto memory = make_host_memory(size);
    EXPECT_EQ(memory->size_bytes(), size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory->data()) % 128, 0U);
    const auto* bytes = static_cast<const unsigned char*>(memory->data());
    for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(bytes[i], 0) << i;
  }
}

}  // namespace
}  // namespace lockstep::comm
