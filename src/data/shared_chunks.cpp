#include "shared_chunks.h"

#include <lockstep/base/error.h>

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <limits>
#include <thread>

namespace lockstep::data {
namespace {

constexpr std::size_t kBlock = 64;
constexpr std::size_t rounded(std::size_t bytes) { return (bytes + kBlock - 1) / kBlock * kBlock; }

// The head is made by the first who comes.
constexpr std::uint32_t kMaking = 1;
constexpr std::uint32_t kMade = 2;

constexpr std::uint32_t kEmpty = 0;
constexpr std::uint32_t kFilling = 1;
constexpr std::uint32_t kReady = 2;

constexpr std::chrono::microseconds kShortestPause{20};
constexpr std::chrono::microseconds kLongestPause{1000};

static_assert(std::atomic_ref<std::uint32_t>::is_always_lock_free,
              "processes can only share atomics without locks");

}  // namespace

// In front: head, places, slots, each from a new block on; then the bytes of the slots.
struct SharedChunks::Head {
  std::uint32_t making;
  pthread_mutex_t mutex;
  std::uint64_t clock;  // guarded by mutex: counts what was asked for
};

// Guarded by the mutex but for what is said to be atomic.
struct SharedChunks::Slot {
  std::uint64_t owner;  // number of the chunk + 1; 0: nobody's
  std::uint64_t used;   // of Head::clock
  std::uint64_t left;   // how often it is still asked for in this epoch
  std::uint32_t state;  // atomic; leaves kFilling by the one who fills
  std::uint32_t held;   // atomic; rises under the mutex alone
};

// Of a mutex whose owner may die while it is held. What it guards is only hints and counts, each of
// which may be the old or the new one.
class SharedChunks::Lock {
 public:
  Lock(pthread_mutex_t& mutex, std::chrono::milliseconds patience) : mutex_(mutex) {
    timespec until{};
    clock_gettime(CLOCK_MONOTONIC, &until);
    const std::int64_t nanoseconds = until.tv_nsec + patience.count() % 1000 * 1'000'000;
    until.tv_sec += patience.count() / 1000 + nanoseconds / 1'000'000'000;
    until.tv_nsec = nanoseconds % 1'000'000'000;
    const int failed = pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &until);
    if (failed == EOWNERDEAD) pthread_mutex_consistent(&mutex);
    locked_ = failed == 0 || failed == EOWNERDEAD;
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() {
    if (locked_) pthread_mutex_unlock(&mutex_);
  }
  explicit operator bool() const { return locked_; }

 private:
  pthread_mutex_t& mutex_;
  bool locked_ = false;
};

SharedChunks::Held::~Held() {
  // Pairs with the acquire in claim(): the bytes were read before another chunk is put there.
  if (slot_ != nullptr) std::atomic_ref(slot_->held).fetch_sub(1, std::memory_order_release);
}

SharedChunks::SharedChunks(std::span<std::byte> memory,
                           std::uint64_t num_chunks,
                           std::size_t chunk_bytes,
                           std::chrono::milliseconds patience)
    : memory_(memory.data()), chunk_bytes_(chunk_bytes), patience_(patience) {
  LOCKSTEP_CHECK(reinterpret_cast<std::uintptr_t>(memory.data()) % kBlock == 0,
                 "memory of chunks is aligned to 64 bytes");
  const std::size_t front = memory_bytes(num_chunks, chunk_bytes, 0);
  const std::size_t each = rounded(chunk_bytes) + sizeof(Slot);
  // The slots' own table may end inside a block.
  if (memory.size() < front + kBlock + each) return;
  head_ = reinterpret_cast<Head*>(memory_);
  places_ = reinterpret_cast<std::uint32_t*>(memory_ + rounded(sizeof(Head)));
  slots_ = reinterpret_cast<Slot*>(memory_ + front);
  const std::uint64_t slots = std::min<std::uint64_t>((memory.size() - front - kBlock) / each,
                                                      std::numeric_limits<std::int32_t>::max());
  bytes_ = memory_ + front + rounded(slots * sizeof(Slot));
  const std::atomic_ref making(head_->making);
  std::uint32_t nobody = 0;
  if (making.compare_exchange_strong(nobody, kMaking, std::memory_order_relaxed)) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&head_->mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    making.store(kMade, std::memory_order_release);
  }
  const auto until = Clock::now() + patience_;
  while (making.load(std::memory_order_acquire) != kMade) {
    if (Clock::now() > until) return;
    std::this_thread::sleep_for(kShortestPause);
  }
  num_slots_ = slots;
}

std::size_t SharedChunks::memory_bytes(std::uint64_t num_chunks,
                                       std::size_t chunk_bytes,
                                       std::uint64_t num_slots) {
  const std::size_t front = rounded(sizeof(Head)) + rounded(num_chunks * sizeof(std::uint32_t));
  if (num_slots == 0) return front;
  return front + kBlock + num_slots * (rounded(chunk_bytes) + sizeof(Slot));
}

std::span<std::byte> SharedChunks::bytes_of(const Slot& slot) const {
  const auto place = static_cast<std::size_t>(&slot - slots_);
  return {bytes_ + place * rounded(chunk_bytes_), chunk_bytes_};
}

SharedChunks::Slot* SharedChunks::find(std::uint64_t number) const {
  const std::uint32_t place = places_[number];
  if (place == 0 || place > num_slots_) return nullptr;
  Slot& slot = slots_[place - 1];
  if (slot.owner != number + 1) return nullptr;
  if (std::atomic_ref(slot.state).load(std::memory_order_acquire) == kEmpty) return nullptr;
  return &slot;
}

// A slot for the caller to fill and to hold; null when all are held or being filled.
SharedChunks::Slot* SharedChunks::claim(std::uint64_t number, std::uint64_t uses) const {
  Slot* best = nullptr;
  const auto age = [](const Slot& slot) { return std::pair(slot.left > 0, slot.used); };
  for (Slot& slot : std::span(slots_, num_slots_)) {
    if (std::atomic_ref(slot.held).load(std::memory_order_acquire) != 0) continue;
    if (std::atomic_ref(slot.state).load(std::memory_order_acquire) == kEmpty) {
      best = &slot;
      break;
    }
    if (best == nullptr || age(slot) < age(*best)) best = &slot;
  }
  if (best == nullptr) return nullptr;
  std::atomic_ref(best->held).store(1, std::memory_order_relaxed);
  std::atomic_ref(best->state).store(kFilling, std::memory_order_relaxed);
  best->owner = number + 1;
  best->used = ++head_->clock;
  best->left = uses - 1;
  places_[number] = static_cast<std::uint32_t>(best - slots_ + 1);
  return best;
}

// The slot of a chunk that is ready, or one for the caller to fill, held in both cases.
SharedChunks::Answer SharedChunks::ask(std::uint64_t number,
                                       std::uint64_t uses,
                                       std::uint64_t tired_of) const {
  const Lock lock(head_->mutex, patience_);
  if (!lock) return {};
  Slot* slot = find(number);
  if (slot != nullptr && std::atomic_ref(slot->state).load(std::memory_order_acquire) == kReady) {
    std::atomic_ref(slot->held).fetch_add(1, std::memory_order_relaxed);
    slot->used = ++head_->clock;
    slot->left = (slot->left > 0 ? slot->left : uses) - 1;
    return {slot, Next::kRead};
  }
  if (slot != nullptr && slot->used != tired_of) return {slot, Next::kWait, slot->used};
  // Whoever fills it is gone or held up: it may come to an end, but nobody looks there any more.
  if (slot != nullptr) slot->owner = slot->left = 0;
  slot = claim(number, uses);
  return {slot, slot != nullptr ? Next::kFill : Next::kNone};
}

std::optional<SharedChunks::Held> SharedChunks::get(std::uint64_t number,
                                                    std::uint64_t uses,
                                                    const Fill& fill) const {
  if (num_slots_ == 0) return std::nullopt;
  auto until = Clock::now() + patience_;
  Answer answer = ask(number, uses, 0);
  for (auto pause = kShortestPause; answer.next == Next::kWait;
       pause = std::min(2 * pause, kLongestPause)) {
    std::this_thread::sleep_for(pause);
    const std::uint64_t waited_for = answer.fill;
    answer = ask(number, uses, Clock::now() < until ? 0 : waited_for);
    // Another one took over: it is given as much time, or all who wait would begin at once.
    if (answer.fill != waited_for) until = Clock::now() + patience_;
  }
  if (answer.next == Next::kNone) return std::nullopt;
  Held held(answer.slot, bytes_of(*answer.slot));
  if (answer.next == Next::kRead) return held;
  const std::atomic_ref state(answer.slot->state);
  try {
    fill(bytes_of(*answer.slot));
  } catch (...) {
    state.store(kEmpty, std::memory_order_release);
    throw;
  }
  // Pairs with the acquire in ask(): a chunk that is ready is whole.
  state.store(kReady, std::memory_order_release);
  return held;
}

}  // namespace lockstep::data
