#include "comm/shared_pieces.h"

#include <gtest/gtest.h>

#include <array>

namespace lockstep::comm {
namespace {

TEST(PieceRegistry, FindsOwnMemoryAndTheSamePlaceOfPeers) {
  std::array<std::array<std::byte, 256>, 4> memory{};
  PieceRegistry registry(1);
  registry.add({{memory[0].data(), memory[1].data()}, 256});
  registry.add({{memory[2].data(), memory[3].data()}, 256});
  const auto place = registry.find(memory[3].data() + 40, 100);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->piece, 1U);
  EXPECT_EQ(place->offset, 40U);
  EXPECT_EQ(registry.at(*place, 0), memory[2].data() + 40);
  EXPECT_EQ(registry.at(*place, 1), memory[3].data() + 40);
}

TEST(PieceRegistry, WhatIsNotWhollyOwnIsNotFound) {
  std::array<std::array<std::byte, 256>, 2> memory{};
  PieceRegistry registry(1);
  registry.add({{memory[0].data(), memory[1].data()}, 128});
  EXPECT_TRUE(registry.find(memory[1].data(), 128));
  EXPECT_FALSE(registry.find(memory[1].data() + 1, 128)) << "one byte beyond the piece";
  EXPECT_FALSE(registry.find(memory[0].data(), 8)) << "a peer's piece";
  std::byte elsewhere{};
  EXPECT_FALSE(registry.find(&elsewhere, 1));
}

}  // namespace
}  // namespace lockstep::comm
