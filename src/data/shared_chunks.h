// Inflated chunks in memory that the caller hands in and several processes may share, so that one
// of them reads and inflates for all. Knows nothing of where a chunk comes from.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>

namespace lockstep::data {

// Finished chunks go first, then the least recently used. A process that dies may take the slots
// with it that it was filling or reading; nobody waits for what it began longer than `patience`.
// Thread: every function from any thread of any process that shares the memory.
class SharedChunks {
 public:
  using Fill = std::function<void(std::span<std::byte>)>;
  struct Slot;

  // A chunk's bytes, which stay where they are as long as this lives.
  class Held {
   public:
    Held(Slot* slot, std::span<const std::byte> bytes) : slot_(slot), bytes_(bytes) {}
    Held(Held&& other) noexcept
        : slot_(std::exchange(other.slot_, nullptr)), bytes_(other.bytes_) {}
    Held& operator=(Held&&) = delete;
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held();

    std::span<const std::byte> bytes() const { return bytes_; }

   private:
    Slot* slot_;
    std::span<const std::byte> bytes_;
  };

  // Requires: the memory is aligned to 64 bytes and was zeroed before the first SharedChunks was
  // made over it; everyone who shares it names the same numbers. Too little memory for the table
  // of chunks and one slot: nothing is ever kept.
  SharedChunks(std::span<std::byte> memory,
               std::uint64_t num_chunks,
               std::size_t chunk_bytes,
               std::chrono::milliseconds patience = std::chrono::seconds(5));

  // Memory for `num_slots` of the chunks.
  static std::size_t memory_bytes(std::uint64_t num_chunks,
                                  std::size_t chunk_bytes,
                                  std::uint64_t num_slots);

  // The chunk's bytes; `fill` writes them when they are not here and nobody else is at it. A chunk
  // is finished when it was asked for `uses` times. What `fill` throws goes to the caller, and the
  // next one tries again. Nothing: no slot can be had, or not in time.
  std::optional<Held> get(std::uint64_t number, std::uint64_t uses, const Fill& fill) const;

  std::uint64_t num_slots() const { return num_slots_; }
  bool is_over(std::span<std::byte> memory) const { return memory.data() == memory_; }

 private:
  struct Head;
  class Lock;
  using Clock = std::chrono::steady_clock;
  enum class Next { kNone, kRead, kFill, kWait };
  struct Answer {
    Slot* slot = nullptr;
    Next next = Next::kNone;
    std::uint64_t fill = 0;  // with kWait: which fill of the slot it is
  };

  // `tired_of`: the fill that is not waited for any more; 0: none.
  Answer ask(std::uint64_t number, std::uint64_t uses, std::uint64_t tired_of) const;
  Slot* find(std::uint64_t number) const;
  Slot* claim(std::uint64_t number, std::uint64_t uses) const;
  std::span<std::byte> bytes_of(const Slot& slot) const;

  std::byte* memory_;
  std::size_t chunk_bytes_;
  std::chrono::milliseconds patience_;
  std::uint64_t num_slots_ = 0;
  Head* head_ = nullptr;
  std::uint32_t* places_ = nullptr;  // (num_chunks) slot of a chunk + 1, or of one that had it
  Slot* slots_ = nullptr;
  std::byte* bytes_ = nullptr;
};

}  // namespace lockstep::data
