#include "sample_cache.h"

#include <lockstep/base/error.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>

namespace lockstep::data {
namespace {

// The memory is counted in blocks of a cache line:
//   block 0              next free block (u64)
//   from block 1         state of each sample (u32)
//   after that           records: a header in one block, then the pixels
constexpr std::size_t kBlock = 64;

// State of a sample: nothing, being stored (or refused for ever), else the block of its record.
constexpr std::uint32_t kEmpty = 0;
constexpr std::uint32_t kFilling = std::numeric_limits<std::uint32_t>::max();

struct Record {
  ImageSize size;
  std::int32_t channels = 0;
  std::uint64_t pixel_bytes = 0;
};
static_assert(sizeof(Record) <= kBlock);
static_assert(std::atomic_ref<std::uint32_t>::is_always_lock_free &&
                  std::atomic_ref<std::uint64_t>::is_always_lock_free,
              "processes can only share atomics without locks");

std::uint64_t blocks_of(std::size_t bytes) { return (bytes + kBlock - 1) / kBlock; }

std::atomic_ref<std::uint64_t> next_free(std::span<std::byte> memory) {
  return std::atomic_ref(*reinterpret_cast<std::uint64_t*>(memory.data()));
}

// The counter holds what was given out beyond the head, so that zeroed memory is an empty cache.
std::uint64_t head_blocks(std::int64_t num_samples) {
  return 1 + blocks_of(static_cast<std::size_t>(num_samples) * sizeof(std::uint32_t));
}

}  // namespace

SampleCache::SampleCache(std::span<std::byte> memory, std::int64_t num_samples)
    : memory_(memory),
      num_samples_(num_samples),
      num_blocks_(std::min<std::uint64_t>(memory.size() / kBlock, kFilling)) {
  LOCKSTEP_CHECK(reinterpret_cast<std::uintptr_t>(memory.data()) % kBlock == 0,
                 "cache memory is aligned to 64 bytes");
  if (num_blocks_ <= head_blocks(num_samples)) num_blocks_ = 0;
}

std::size_t SampleCache::table_bytes(std::int64_t num_samples) {
  return static_cast<std::size_t>(head_blocks(num_samples)) * kBlock;
}

std::size_t SampleCache::record_bytes(std::size_t pixel_bytes) {
  return static_cast<std::size_t>(1 + blocks_of(pixel_bytes)) * kBlock;
}

std::uint32_t* SampleCache::state(std::int64_t index) const {
  LOCKSTEP_CHECK(index >= 0 && index < num_samples_, "no such sample");
  return reinterpret_cast<std::uint32_t*>(memory_.data() + kBlock) + index;
}

std::optional<SampleCache::Found> SampleCache::find(std::int64_t index) const {
  if (num_blocks_ == 0) return std::nullopt;
  // Pairs with the release in keep(): a record that is seen is complete.
  const std::uint32_t block = std::atomic_ref(*state(index)).load(std::memory_order_acquire);
  if (block == kEmpty || block == kFilling) return std::nullopt;
  const std::byte* at = memory_.data() + std::size_t{block} * kBlock;
  Record record;
  std::memcpy(&record, at, sizeof record);
  return Found{record.size, record.channels, {at + kBlock, record.pixel_bytes}};
}

bool SampleCache::has_room(std::size_t pixel_bytes) const {
  if (num_blocks_ == 0) return false;
  const std::uint64_t used =
      head_blocks(num_samples_) + next_free(memory_).load(std::memory_order_relaxed);
  return used + 1 + blocks_of(pixel_bytes) <= num_blocks_;
}

void SampleCache::keep(std::int64_t index,
                       ImageSize size,
                       std::int32_t channels,
                       std::span<const std::byte> pixels) const {
  if (!has_room(pixels.size())) return;
  const std::atomic_ref own(*state(index));
  std::uint32_t empty = kEmpty;
  if (!own.compare_exchange_strong(empty, kFilling, std::memory_order_relaxed)) return;
  const std::uint64_t wanted = 1 + blocks_of(pixels.size());
  const std::uint64_t block =
      head_blocks(num_samples_) + next_free(memory_).fetch_add(wanted, std::memory_order_relaxed);
  // Others took the room meanwhile: the sample stays out, and so does everything after it.
  if (block + wanted > num_blocks_) return;
  std::byte* at = memory_.data() + block * kBlock;
  const Record record{size, channels, pixels.size()};
  std::memcpy(at, &record, sizeof record);
  std::memcpy(at + kBlock, pixels.data(), pixels.size());
  own.store(static_cast<std::uint32_t>(block), std::memory_order_release);
}

}  // namespace lockstep::data
