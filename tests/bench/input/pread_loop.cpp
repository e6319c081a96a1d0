// The floor of reading: one thread, positional reads of shuffled samples, nothing else. BUFFERS
// batches take turns: 1 stays in the processor's cache as no batch does that is filled while the
// one before it is used; 2 is what reading ahead needs. Prints one JSON object: images/s of each
// block, the sum of all bytes, and the checksum that `lockstep bench input` must print for the same
// images. LABELS holds the labels as plain i64.
//   pread_loop FILE LABELS OFFSET SAMPLE_BYTES NUM_SAMPLES BATCH BLOCKS EPOCHS_A_BLOCK BUFFERS
//   [cold]
// cold: the file is dropped from the page cache before each epoch, outside the time.
#include <lockstep/base/clock.h>
#include <lockstep/base/hash.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace {

struct Images {
  int file = -1;
  std::int64_t offset = 0;
  std::int64_t sample_bytes = 0;
  std::int64_t count = 0;
  std::int64_t batch = 0;
  std::vector<std::vector<std::byte>> buffers;  // each (batch, sample_bytes)
  std::size_t turn = 0;

  bool read_batch(std::span<const std::int64_t> indices) {
    turn = (turn + 1) % buffers.size();
    std::byte* to = buffers[turn].data();
    for (const std::int64_t index : indices) {
      const auto size = static_cast<std::size_t>(sample_bytes);
      if (pread(file, to, size, offset + index * sample_bytes) != sample_bytes) return false;
      to += sample_bytes;
    }
    return true;
  }

  // In the order given, a batch at a time.
  template <class AfterBatch>
  bool read_epoch(const std::vector<std::int64_t>& order, AfterBatch after) {
    for (std::int64_t begin = 0; begin < count; begin += batch) {
      const std::int64_t size = std::min(batch, count - begin);
      const std::span indices(order.data() + begin, static_cast<std::size_t>(size));
      if (!read_batch(indices)) return false;
      after(std::span(buffers[turn].data(), static_cast<std::size_t>(size * sample_bytes)));
    }
    return true;
  }
};

std::vector<std::int64_t> shuffled(std::int64_t count,
                                   std::int64_t batch,
                                   std::mt19937_64& random) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  // Within a batch in the order of the file, as both loaders read.
  for (std::int64_t begin = 0; begin < count; begin += batch) {
    std::sort(order.begin() + begin, order.begin() + std::min(count, begin + batch));
  }
  return order;
}

struct Sums {
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;  // as sum_epoch() of src/apps/bench_input.cpp has it
};

bool sum_up(Images& images, const std::vector<std::int64_t>& labels, Sums& sums) {
  constexpr std::uint64_t kMask = (std::uint64_t{1} << 48) - 1;
  std::vector<std::int64_t> in_order(labels.size());
  std::iota(in_order.begin(), in_order.end(), 0);
  std::int64_t id = 0;
  const auto size = static_cast<std::size_t>(images.sample_bytes);
  const bool readable = images.read_epoch(in_order, [&](std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) sums.bytes += static_cast<std::uint64_t>(byte);
    for (; !bytes.empty(); bytes = bytes.subspan(size), ++id) {
      const std::array<std::int64_t, 2> names{id, labels[static_cast<std::size_t>(id)]};
      const std::uint32_t pixels = lockstep::crc32c(bytes.first(size));
      sums.checksum +=
          std::uint64_t{pixels} << 32 | lockstep::crc32c(std::as_bytes(std::span(names)), pixels);
    }
  });
  sums.checksum &= kMask;
  return readable;
}

bool run(
    Images& images, const std::vector<std::int64_t>& labels, int blocks, int epochs, bool cold) {
  Sums sums;
  if (!sum_up(images, labels, sums)) return false;
  std::mt19937_64 random(1);
  std::string rates;
  for (int block = 0; block < blocks; ++block) {
    double seconds = 0;
    for (int epoch = 0; epoch < epochs; ++epoch) {
      const auto order = shuffled(images.count, images.batch, random);
      if (cold && posix_fadvise(images.file, 0, 0, POSIX_FADV_DONTNEED) != 0) return false;
      const lockstep::Stopwatch watch;
      if (!images.read_epoch(order, [](std::span<const std::byte>) {})) return false;
      seconds += watch.elapsed_s();
    }
    const double rate = static_cast<double>(images.count * epochs) / seconds;
    rates += (block == 0 ? "" : ", ") + std::to_string(rate);
  }
  std::printf("{\"blocks\": [%s], \"checksum\": \"%012llx\", \"byte_sum\": %llu}\n",
              rates.c_str(),
              static_cast<unsigned long long>(sums.checksum),
              static_cast<unsigned long long>(sums.bytes));
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 10 && argc != 11) {
    std::fputs("pread_loop: see the head of pread_loop.cpp\n", stderr);
    return 64;
  }
  Images images;
  images.file = open(argv[1], O_RDONLY | O_CLOEXEC);
  images.offset = std::atoll(argv[3]);
  images.sample_bytes = std::atoll(argv[4]);
  images.count = std::atoll(argv[5]);
  images.batch = std::atoll(argv[6]);
  const std::vector<std::byte> one(static_cast<std::size_t>(images.batch * images.sample_bytes));
  images.buffers.assign(static_cast<std::size_t>(std::max(1, std::atoi(argv[9]))), one);
  std::vector<std::int64_t> labels(static_cast<std::size_t>(images.count));
  std::ifstream file(argv[2], std::ios::binary);
  file.read(reinterpret_cast<char*>(labels.data()),
            static_cast<std::streamsize>(labels.size() * sizeof(std::int64_t)));
  if (file && run(images, labels, std::atoi(argv[7]), std::atoi(argv[8]), argc == 11)) return 0;
  std::fprintf(stderr, "pread_loop: %s or %s cannot be read\n", argv[1], argv[2]);
  return 74;
}
