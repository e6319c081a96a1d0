// Filters are undone as HDF5 does it; damage of any kind has a reason and never a crash.
#include "chunk_filters.h"

#include "data_fixture.h"

#include <libdeflate.h>

#include <cstring>
#include <random>

namespace lockstep::data {
namespace {

using Bytes = std::vector<std::byte>;

Bytes random_bytes(std::size_t count, unsigned seed, int values = 256) {
  std::mt19937 random(seed);
  Bytes bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::byte>(static_cast<int>(random() % 256) % values);
  return bytes;
}

// Word by word, as the definition reads.
std::uint32_t plain_fletcher(const Bytes& bytes) {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  const auto fold = [](std::uint64_t sum) {
    while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
    return sum;
  };
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const auto low = i + 1 < bytes.size() ? std::to_integer<std::uint64_t>(bytes[i + 1]) : 0;
    first = fold(first + (std::to_integer<std::uint64_t>(bytes[i]) << 8 | low));
    second = fold(second + first);
  }
  return static_cast<std::uint32_t>(second << 16 | first);
}

Bytes shuffled(const Bytes& bytes, std::size_t element) {
  Bytes out = bytes;
  const std::size_t count = bytes.size() / element;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t e = 0; e < element; ++e) out[e * count + i] = bytes[i * element + e];
  }
  return out;
}

Bytes deflated(const Bytes& bytes) {
  libdeflate_compressor* compressor = libdeflate_alloc_compressor(6);
  Bytes out(libdeflate_zlib_compress_bound(compressor, bytes.size()));
  out.resize(
      libdeflate_zlib_compress(compressor, bytes.data(), bytes.size(), out.data(), out.size()));
  libdeflate_free_compressor(compressor);
  return out;
}

Bytes with_fletcher(const Bytes& bytes) {
  Bytes out = bytes;
  const std::uint32_t sum = plain_fletcher(bytes);
  out.resize(bytes.size() + 4);
  std::memcpy(out.data() + bytes.size(), &sum, 4);
  return out;
}

constexpr FilterStep kDeflate{FilterStep::Kind::kDeflate};
constexpr FilterStep kFletcher{FilterStep::Kind::kFletcher32};
constexpr FilterStep kShuffle4{FilterStep::Kind::kShuffle, 4};

struct Undone {
  std::string_view fault;
  Bytes bytes;
};

Undone undo(const std::vector<FilterStep>& steps,
            const Bytes& stored,
            std::size_t size,
            std::uint32_t mask = 0) {
  FilterWorkspace workspace;
  Undone result;
  result.bytes.resize(size);
  result.fault = ChunkFilters(steps, size).undo(stored, mask, result.bytes, workspace);
  return result;
}

TEST(ChunkFilters, FletcherEqualsItsDefinition) {
  for (std::size_t size :
       {0, 1, 2, 3, 4, 31, 32, 33, 63, 64, 784, 11263, 11264, 11265, 11296, 150528}) {
    for (const int values : {256, 1, 2}) {
      const Bytes bytes = random_bytes(size, static_cast<unsigned>(size) + 1, values);
      EXPECT_EQ(fletcher32(bytes), plain_fletcher(bytes)) << size;
    }
    const Bytes full(size, std::byte{255});
    EXPECT_EQ(fletcher32(full), plain_fletcher(full)) << size;
  }
}

TEST(ChunkFilters, UnshuffleIsTheInverseForEverySize) {
  for (const std::size_t element : {1, 2, 3, 4, 5, 8, 16}) {
    for (const std::size_t size : {0, 1, 15, 16, 17, 64, 127, 128, 129, 1000, 4099}) {
      const Bytes bytes = random_bytes(size, 3);
      Bytes out(size);
      unshuffle(shuffled(bytes, element), element, out);
      EXPECT_EQ(out, bytes) << element << " " << size;
    }
  }
}

TEST(ChunkFilters, EveryPipelineIsUndone) {
  const Bytes bytes = random_bytes(4000, 5, 20);
  EXPECT_EQ(undo({kDeflate}, deflated(bytes), 4000).bytes, bytes);
  EXPECT_EQ(undo({kShuffle4, kDeflate}, deflated(shuffled(bytes, 4)), 4000).bytes, bytes);
  EXPECT_EQ(undo({kFletcher}, with_fletcher(bytes), 4000).bytes, bytes);
  EXPECT_EQ(undo({kDeflate, kFletcher}, with_fletcher(deflated(bytes)), 4000).bytes, bytes);
  EXPECT_EQ(undo({kFletcher, kDeflate}, deflated(with_fletcher(bytes)), 4000).bytes, bytes);
  EXPECT_EQ(
      undo({kShuffle4, kFletcher, kDeflate}, deflated(with_fletcher(shuffled(bytes, 4))), 4000)
          .bytes,
      bytes);
  EXPECT_EQ(undo({kDeflate, kShuffle4}, shuffled(deflated(bytes), 4), 4000).bytes, bytes);
  EXPECT_EQ(undo({kShuffle4, kShuffle4}, shuffled(shuffled(bytes, 4), 4), 4000).bytes, bytes);
  EXPECT_EQ(undo({}, bytes, 4000).bytes, bytes);
}

TEST(ChunkFilters, SkippedStepsAreNotUndone) {
  const Bytes bytes = random_bytes(4000, 5, 20);
  const std::vector<FilterStep> all{kShuffle4, kDeflate, kFletcher};
  EXPECT_EQ(undo(all, with_fletcher(shuffled(bytes, 4)), 4000, 2).bytes, bytes);
  EXPECT_EQ(undo(all, with_fletcher(deflated(bytes)), 4000, 1).bytes, bytes);
  EXPECT_EQ(undo(all, deflated(shuffled(bytes, 4)), 4000, 4).bytes, bytes);
  EXPECT_EQ(undo(all, bytes, 4000, 0xFFFFFFFF).bytes, bytes);
}

TEST(ChunkFilters, DamageHasAReason) {
  const Bytes bytes = random_bytes(4000, 5, 20);
  EXPECT_NE(undo({kDeflate}, random_bytes(500, 9), 4000).fault.find("not valid deflate"),
            std::string::npos);
  EXPECT_NE(undo({kDeflate}, deflated(bytes), 3999).fault.find("inflates to another size"),
            std::string::npos);
  EXPECT_NE(undo({kDeflate}, deflated(bytes), 4001).fault.find("inflates to another size"),
            std::string::npos);
  EXPECT_NE(undo({kFletcher}, Bytes(3), 4000).fault.find("shorter"), std::string::npos);
  EXPECT_NE(undo({}, Bytes(3), 4000).fault.find("another size"), std::string::npos);
  EXPECT_NE(undo({kFletcher}, with_fletcher(Bytes(10)), 4000).fault.find("another size"),
            std::string::npos);
}

TEST(ChunkFilters, EveryFlippedBitUnderFletcherIsFound) {
  const Bytes bytes = random_bytes(100, 5);
  const Bytes good = with_fletcher(bytes);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    EXPECT_NE(undo({kFletcher}, bad, 100).fault.find("fletcher32"), std::string::npos) << bit;
  }
}

TEST(ChunkFilters, ChecksumsOfOldLibrariesAreAccepted) {
  Bytes stored = with_fletcher(random_bytes(100, 5));
  std::swap(stored[100], stored[101]);
  std::swap(stored[102], stored[103]);
  EXPECT_EQ(undo({kFletcher}, stored, 100).fault, "");
}

}  // namespace
}  // namespace lockstep::data
