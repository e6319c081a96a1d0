// The floor of reading: one thread, positional reads of shuffled samples into one buffer, nothing
// else. Prints one JSON object: images/s of each block, and sums that prove what was read.
//   pread_loop FILE OFFSET SAMPLE_BYTES NUM_SAMPLES BATCH BLOCKS EPOCHS_A_BLOCK
#include <lockstep/base/clock.h>
#include <lockstep/base/hash.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
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
  std::vector<std::byte> buffer;  // (batch, sample_bytes)

  bool read_batch(std::span<const std::int64_t> indices) {
    std::byte* to = buffer.data();
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
      after(std::span(buffer.data(), static_cast<std::size_t>(size * sample_bytes)));
    }
    return true;
  }
};

std::vector<std::int64_t> shuffled(std::int64_t count, std::int64_t batch, std::mt19937_64& random) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  // Within a batch in the order of the file, as both loaders read.
  for (std::int64_t begin = 0; begin < count; begin += batch) {
    std::sort(order.begin() + begin, order.begin() + std::min(count, begin + batch));
  }
  return order;
}

bool run(Images& images, int blocks, int epochs) {
  std::vector<std::int64_t> in_order(static_cast<std::size_t>(images.count));
  std::iota(in_order.begin(), in_order.end(), 0);
  std::uint32_t checksum = 0;
  std::uint64_t sum = 0;
  const bool readable = images.read_epoch(in_order, [&](std::span<const std::byte> bytes) {
    checksum = lockstep::crc32c(bytes, checksum);
    for (const std::byte byte : bytes) sum += static_cast<std::uint64_t>(byte);
  });
  if (!readable) return false;
  std::mt19937_64 random(1);
  std::string rates;
  for (int block = 0; block < blocks; ++block) {
    double seconds = 0;
    for (int epoch = 0; epoch < epochs; ++epoch) {
      const auto order = shuffled(images.count, images.batch, random);
      const lockstep::Stopwatch watch;
      if (!images.read_epoch(order, [](std::span<const std::byte>) {})) return false;
      seconds += watch.elapsed_s();
    }
    const double rate = static_cast<double>(images.count * epochs) / seconds;
    rates += (block == 0 ? "" : ", ") + std::to_string(rate);
  }
  std::printf("{\"blocks\": [%s], \"checksum\": \"%08x\", \"byte_sum\": %llu}\n",
              rates.c_str(),
              checksum,
              static_cast<unsigned long long>(sum));
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) {
    std::fputs("pread_loop: see the head of pread_loop.cpp\n", stderr);
    return 64;
  }
  Images images;
  images.file = open(argv[1], O_RDONLY | O_CLOEXEC);
  images.offset = std::atoll(argv[2]);
  images.sample_bytes = std::atoll(argv[3]);
  images.count = std::atoll(argv[4]);
  images.batch = std::atoll(argv[5]);
  images.buffer.resize(static_cast<std::size_t>(images.batch * images.sample_bytes));
  if (run(images, std::atoi(argv[6]), std::atoi(argv[7]))) return 0;
  std::fprintf(stderr, "pread_loop: %s cannot be read\n", argv[1]);
  return 74;
}
