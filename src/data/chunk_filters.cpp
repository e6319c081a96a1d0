#include "chunk_filters.h"

#include <lockstep/base/error.h>

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

namespace lockstep::data {
namespace {

static_assert(std::endian::native == std::endian::little, "words are swapped after they are added");

constexpr std::size_t kLanes = 16;
constexpr std::size_t kRounds = 352;  // 32-bit sums of a lane hold up to 361
constexpr std::size_t kVectorBytes = 16;
constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kMaxSteps = 32;

using Words = std::uint16_t __attribute__((vector_size(2 * kLanes)));
using Sums = std::uint32_t __attribute__((vector_size(4 * kLanes)));
using Bytes = std::uint8_t __attribute__((vector_size(kVectorBytes)));

// The residue modulo 65535 that one's complement sums end with: 0 only for 0.
std::uint64_t folded(std::uint64_t sum) {
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  return sum;
}

struct Fletcher {
  std::uint64_t first = 0;
  std::uint64_t second = 0;

  void add(std::uint16_t word) {
    first = folded(first + word);
    second = folded(second + first);
  }

  // Lane l of round i counts (rounds - i) * kLanes - l times in the second sum.
  void add_rounds(const std::byte* bytes, std::size_t rounds) {
    Sums plain{};
    Sums rising{};
    for (std::size_t i = 0; i < rounds; ++i) {
      Words words;
      std::memcpy(&words, bytes + i * sizeof(Words), sizeof(Words));
      plain += __builtin_convertvector(words, Sums);
      rising += plain;
    }
    std::uint64_t sum = 0;
    std::uint64_t weighted = 0;
    std::uint64_t behind = 0;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      sum += plain[lane];
      weighted += rising[lane];
      behind += lane * plain[lane];
    }
    second = folded(second + rounds * kLanes * first + kLanes * weighted - behind);
    first = folded(first + sum);
  }
};

// Words were added in this machine's byte order: swapping a word is multiplying it by 256 modulo
// 65535, so the sums are swapped instead.
std::uint32_t swapped(std::uint64_t sum) {
  return __builtin_bswap16(static_cast<std::uint16_t>(sum));
}

// Before HDF5 1.6.3, little-endian machines stored the halves' bytes swapped; readers accept it.
std::uint32_t old_form(std::uint32_t checksum) {
  return ((checksum & 0x00FF00FF) << 8) | ((checksum >> 8) & 0x00FF00FF);
}

// The lower halves of both, and the upper ones, a byte of each in turn.
Bytes interleave_low(Bytes a, Bytes b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

Bytes interleave_high(Bytes a, Bytes b) {
  return __builtin_shufflevector(
      a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

// Sixteen elements at a time: planes p and p + E/2 are interleaved, log2(E) times over.
template <std::size_t E>
std::size_t unshuffle_vectors(const std::byte* planes, std::size_t count, std::byte* out) {
  std::size_t i = 0;
  for (; i + kVectorBytes <= count; i += kVectorBytes) {
    std::array<Bytes, E> rows;
    for (std::size_t e = 0; e < E; ++e) std::memcpy(&rows[e], planes + e * count + i, kVectorBytes);
    for (std::size_t half = 1; half < E; half *= 2) {
      std::array<Bytes, E> next;
      for (std::size_t e = 0; e < E / 2; ++e) {
        next[2 * e] = interleave_low(rows[e], rows[e + E / 2]);
        next[2 * e + 1] = interleave_high(rows[e], rows[e + E / 2]);
      }
      rows = next;
    }
    std::memcpy(out + i * E, rows.data(), E * kVectorBytes);
  }
  return i;
}

std::string_view check_fletcher(std::span<const std::byte>* bytes) {
  if (bytes->size() < kChecksumBytes) return "is shorter than its fletcher32 checksum";
  const auto content = bytes->first(bytes->size() - kChecksumBytes);
  std::uint32_t stored = 0;
  std::memcpy(&stored, bytes->data() + content.size(), kChecksumBytes);
  const std::uint32_t found = fletcher32(content);
  *bytes = content;
  return stored == found || stored == old_form(found)
             ? std::string_view()
             : "does not match its fletcher32 checksum: the file is damaged, copy or make it again";
}

}  // namespace

std::uint32_t fletcher32(std::span<const std::byte> bytes) {
  Fletcher sums;
  std::size_t at = 0;
  while (bytes.size() - at >= sizeof(Words)) {
    const std::size_t rounds = std::min(kRounds, (bytes.size() - at) / sizeof(Words));
    sums.add_rounds(bytes.data() + at, rounds);
    at += rounds * sizeof(Words);
  }
  for (; at + 2 <= bytes.size(); at += 2) {
    std::uint16_t word = 0;
    std::memcpy(&word, bytes.data() + at, 2);
    sums.add(word);
  }
  if (at < bytes.size()) sums.add(std::to_integer<std::uint16_t>(bytes[at]));
  return (swapped(sums.second) << 16) | swapped(sums.first);
}

void unshuffle(std::span<const std::byte> planes,
               std::size_t element_bytes,
               std::span<std::byte> out) {
  const std::size_t count = planes.size() / element_bytes;
  std::size_t done = 0;
  if (element_bytes == 2) done = unshuffle_vectors<2>(planes.data(), count, out.data());
  if (element_bytes == 4) done = unshuffle_vectors<4>(planes.data(), count, out.data());
  if (element_bytes == 8) done = unshuffle_vectors<8>(planes.data(), count, out.data());
  for (std::size_t e = 0; e < element_bytes; ++e) {
    for (std::size_t i = done; i < count; ++i) out[i * element_bytes + e] = planes[e * count + i];
  }
  const std::size_t whole = count * element_bytes;
  if (whole < planes.size()) {
    std::memcpy(out.data() + whole, planes.data() + whole, planes.size() - whole);
  }
}

struct FilterWorkspace::Inflater {
  libdeflate_decompressor* state = libdeflate_alloc_decompressor();
  Inflater() {
    if (state == nullptr) throw std::bad_alloc();
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { libdeflate_free_decompressor(state); }
};

FilterWorkspace::FilterWorkspace() : inflater_(std::make_unique<Inflater>()) {}
FilterWorkspace::~FilterWorkspace() = default;

std::span<std::byte> FilterWorkspace::grown(std::size_t buffer, std::size_t bytes) {
  auto& memory = buffers_[buffer];
  if (memory.size() < bytes) memory.resize(bytes);
  return std::span(memory).first(bytes);
}

ChunkFilters::ChunkFilters(std::vector<FilterStep> steps, std::size_t chunk_bytes)
    : steps_(std::move(steps)), chunk_bytes_(chunk_bytes) {
  LOCKSTEP_CHECK(steps_.size() <= kMaxSteps, "more filters than a mask has bits");
}

// The bytes on their way back through the steps, and where the next step writes.
struct ChunkFilters::Stage {
  std::span<const std::byte> bytes;
  std::span<std::byte> out;
  FilterWorkspace& workspace;
  std::size_t buffer = 2;

  // The last step to move bytes writes to `out`; others to a buffer that they do not read.
  std::span<std::byte> target(std::size_t size, bool last) {
    if (last && size == out.size()) return out;
    buffer = buffer == 2 ? 3 : 2;
    return workspace.grown(buffer, size);
  }
  std::string_view inflate(std::size_t size, bool last) {
    const auto to = target(size, last);
    std::size_t consumed = 0;
    const libdeflate_result result = libdeflate_zlib_decompress_ex(workspace.inflater_->state,
                                                                   bytes.data(),
                                                                   bytes.size(),
                                                                   to.data(),
                                                                   to.size(),
                                                                   &consumed,
                                                                   nullptr);
    bytes = to;
    if (result == LIBDEFLATE_SUCCESS) return {};
    return result == LIBDEFLATE_BAD_DATA
               ? "is not valid deflate data: the file is damaged, copy or make it again"
               : "inflates to another size than its chunk shape says";
  }
};

std::string_view ChunkFilters::undo(std::span<const std::byte> stored,
                                    std::uint32_t mask,
                                    std::span<std::byte> out,
                                    FilterWorkspace& workspace) const {
  std::array<std::size_t, kMaxSteps> sizes{};  // before each step, up to the deflate
  std::size_t size = chunk_bytes_;
  std::size_t last_moving = steps_.size();
  for (std::size_t i = steps_.size(); i-- > 0;) {
    const bool moves = steps_[i].kind == FilterStep::Kind::kDeflate || steps_[i].element_bytes > 1;
    if (moves && !skipped(i, mask)) last_moving = i;
  }
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    sizes[i] = size;
    if (steps_[i].kind == FilterStep::Kind::kFletcher32 && !skipped(i, mask)) {
      size += kChecksumBytes;
    }
  }
  Stage stage{stored, out, workspace};
  for (std::size_t i = steps_.size(); i-- > 0;) {
    if (skipped(i, mask)) continue;
    std::string_view fault;
    if (steps_[i].kind == FilterStep::Kind::kFletcher32) {
      fault = check_fletcher(&stage.bytes);
    } else if (steps_[i].kind == FilterStep::Kind::kDeflate) {
      fault = stage.inflate(sizes[i], i == last_moving);
    } else if (steps_[i].element_bytes > 1 && stage.bytes.size() > steps_[i].element_bytes) {
      const auto to = stage.target(stage.bytes.size(), i == last_moving);
      unshuffle(stage.bytes, steps_[i].element_bytes, to);
      stage.bytes = to;
    }
    if (!fault.empty()) return fault;
  }
  if (stage.bytes.size() != out.size()) return "is of another size than its chunk shape says";
  if (stage.bytes.data() != out.data()) {
    std::memcpy(out.data(), stage.bytes.data(), out.size());
  }
  return {};
}

}  // namespace lockstep::data
