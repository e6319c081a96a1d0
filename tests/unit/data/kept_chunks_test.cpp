// Samples come out of their chunks whole, each chunk loaded once while it is kept; two ranks that
// share memory load it once together, in threads and in processes, and deliver the same bytes.
#include "kept_chunks.h"

#include "chunked_source.h"
#include "file_dataset.h"
#include "foreign_fixture.h"

#include <lockstep/data/loader.h>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <thread>

namespace lockstep::data {
namespace {

TEST(KeptChunks, SamplesThatAreCutComeOutWhole) {
  const std::vector<std::uint64_t> shape{7, 5, 3};
  const std::vector<std::uint64_t> chunk{2, 3, 2};
  const ChunkGrid grid(shape, chunk);
  int loads = 0;
  const KeptChunks::Load load = [&](std::uint64_t number, std::span<std::byte> out) {
    ++loads;
    const Coordinates origin = grid.origin(number);
    for (std::uint64_t i = 0; i < 12; ++i) {
      out[i] = static_cast<std::byte>(100 * (origin[0] + i / 6) + 10 * (origin[1] + i / 2 % 3) +
                                      origin[2] + i % 2);
    }
  };
  std::vector<std::uint64_t> memory(1 << 10);
  for (const bool shared : {false, true}) {
    loads = 0;
    const KeptChunks kept(grid, 0, load);
    kept.keep(4);
    const std::size_t bytes = kept.shared_bytes(4);
    ASSERT_LE(bytes + 64, 8 * memory.size());
    auto* begin = reinterpret_cast<std::byte*>(memory.data());
    begin += (64 - reinterpret_cast<std::uintptr_t>(begin) % 64) % 64;
    if (shared) kept.share({begin, bytes});
    for (const std::uint64_t row : {0, 6, 3, 1, 5, 2, 4, 0}) {
      std::vector<std::byte> out(15);
      kept.read(row, out);
      for (std::uint64_t i = 0; i < 15; ++i) {
        EXPECT_EQ(out[i], static_cast<std::byte>(100 * row + 10 * (i / 3) + i % 3)) << row;
      }
    }
    EXPECT_EQ(loads, 4 * 4);
  }
}

constexpr std::int64_t kSamples = 395;
constexpr std::int64_t kPerChunk = 10;
constexpr std::int64_t kNumChunks = 40;
constexpr std::size_t kSampleBytes = 64;
constexpr int kRanks = 2;

// What the ranks have in common, also when they are processes.
struct Common {
  std::atomic<std::int64_t> steps[kRanks]{};   // that each has begun; the largest number: gone
  std::atomic<std::uint64_t> loads[kRanks]{};  // of chunks
  std::atomic<std::int64_t> wrong{0};
  std::atomic<std::int64_t> batches{0};

  std::uint64_t all_loads() const { return loads[0] + loads[1]; }
  // As the all-reduce of a training step: nobody ends a step that another has not begun.
  void meet(std::int64_t rank) {
    const std::int64_t step = ++steps[rank];
    while (steps[1 - rank] < step) std::this_thread::yield();
  }
  void leave(std::int64_t rank) { steps[rank] = std::int64_t{1} << 40; }
};

class RanksShareChunks : public ::testing::Test {
 protected:
  RanksShareChunks() {
    ForeignArray array;
    array.shape = {static_cast<hsize_t>(kSamples), 8, 8};
    array.chunk = {static_cast<hsize_t>(kPerChunk), 8, 8};
    array.deflate = true;
    write_arrays(folder_ / "f.h5", array, true);
    expected_ = library_bytes(folder_ / "f.h5");
    options_.sampler.num_samples = kSamples;
    options_.sampler.batch_per_rank = 8;
    options_.sampler.num_ranks = kRanks;
    options_.sampler.chunk_samples = kPerChunk;
    options_.sampler.window_chunks = 4;
    options_.threads = 2;
    options_.prefetch = 2;
    options_.num_epochs = 1;
    Options reading;
    EXPECT_GE(shared_chunk_bytes(*open_dataset(folder_ / "f.h5", reading), options_, kRanks),
              static_cast<std::size_t>(kNumChunks * kPerChunk) * kSampleBytes);
    reading.chunk_cache_mib = 0;
    size_ = shared_chunk_bytes(*open_dataset(folder_ / "f.h5", reading), options_, kRanks);
    // A part of the file, so that chunks come and go.
    EXPECT_LT(size_, static_cast<std::size_t>(kNumChunks) / 2 * kPerChunk * kSampleBytes);
    start_anew();
  }
  ~RanksShareChunks() override {
    munmap(memory_, size_);
    munmap(common_, sizeof(Common));
  }

  void start_anew() {
    const auto map = [](std::size_t size) {
      return mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    };
    if (memory_ != nullptr) munmap(memory_, size_);
    if (common_ != nullptr) munmap(common_, sizeof(Common));
    memory_ = map(size_);
    common_ = new (map(sizeof(Common))) Common;
    options_.chunks = {static_cast<std::byte*>(memory_), size_};
  }

  // One rank from its first to its last batch, or until it stops in the middle.
  void run(std::int64_t rank, std::int64_t stop_after = -1) {
    const auto path = folder_ / "f.h5";
    FileTables tables = open_file_dataset(path, Options{})->tables();
    std::unique_ptr<ChunkedSource> source;
    {
      const Hdf5Session session;
      const Hid file = open_hdf5(session, path);
      StoredArray array = open_array(session, file.get(), path, "images");
      const auto pool = std::make_shared<FilePool>(1);
      source = std::make_unique<ChunkedSource>(session, pool, pool->add(path), array, 0);
      array.dataset.close();
    }
    const ChunkedSource& counted = *source;
    const FileDataset dataset(std::move(tables), std::move(source));
    LoaderOptions options = options_;
    options.rank = rank;
    {
      const auto loader = make_loader(dataset, gpu::host_backend(), options);
      Sampler sampler(options.sampler);
      std::int64_t batches = 0;
      while (const Batch* batch = batches == stop_after ? nullptr : loader->next()) {
        sampler.begin_epoch(batch->epoch);
        const auto indices = sampler.micro_batch(batch->step_in_epoch, 0, rank);
        for (std::size_t i = 0; i < indices.size(); ++i) {
          if (indices[i] < 0) continue;
          const auto pixels = std::as_bytes(batch->pixels).subspan(i * kSampleBytes, kSampleBytes);
          const auto begin = expected_.begin() + indices[i] * std::ssize(pixels);
          common_->wrong += std::equal(pixels.begin(), pixels.end(), begin) ? 0 : 1;
        }
        ++batches;
        common_->meet(rank);
        loader->release(batch, nullptr);
      }
      common_->batches += batches;
      common_->leave(rank);
    }
    common_->loads[rank] = counted.chunks_read();
  }

  void run_in_threads(std::int64_t stop_after = -1) {
    std::thread other([&] { run(1, stop_after); });
    run(0);
    other.join();
  }

  std::int64_t steps_per_epoch() const { return Sampler(options_.sampler).steps_per_epoch(); }

  TemporaryFolder folder_;
  std::vector<std::byte> expected_;
  LoaderOptions options_;
  std::size_t size_ = 0;
  void* memory_ = nullptr;
  Common* common_ = nullptr;
};

TEST_F(RanksShareChunks, EachChunkIsInflatedOnceInThreads) {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
    options_.sampler.seed = seed;
    start_anew();
    run_in_threads();
    EXPECT_EQ(common_->wrong, 0);
    EXPECT_EQ(common_->batches, kRanks * steps_per_epoch());
    EXPECT_EQ(common_->all_loads(), static_cast<std::uint64_t>(kNumChunks));
  }
}

TEST_F(RanksShareChunks, AndOverSeveralEpochs) {
  options_.num_epochs = 4;
  run_in_threads();
  EXPECT_EQ(common_->wrong, 0);
  EXPECT_LE(common_->all_loads(), static_cast<std::uint64_t>(4 * kNumChunks));
}

TEST_F(RanksShareChunks, EachChunkIsInflatedOnceInProcesses) {
  // Without threads of its own, which a child of a test has better not.
  options_.reader = "naive";
  const pid_t child = fork();
  if (child == 0) {
    run(1);
    _exit(0);
  }
  run(0);
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(common_->wrong, 0);
  EXPECT_EQ(common_->batches, kRanks * steps_per_epoch());
  EXPECT_EQ(common_->all_loads(), static_cast<std::uint64_t>(kNumChunks));
}

TEST_F(RanksShareChunks, ResumedInTheMiddleOfAnEpoch) {
  for (const std::int64_t step : {3, 10, 17}) {
    start_anew();
    options_.first_step_in_epoch = step;
    run_in_threads();
    Sampler sampler(options_.sampler);
    sampler.begin_epoch(0);
    std::set<std::int64_t> chunks;
    for (const std::int64_t index :
         sampler.order().subspan(static_cast<std::size_t>(step * sampler.samples_per_step()))) {
      chunks.insert(index / kPerChunk);
    }
    EXPECT_EQ(common_->wrong, 0);
    EXPECT_EQ(common_->all_loads(), chunks.size());
  }
}

TEST_F(RanksShareChunks, OneThatStopsDoesNotHoldTheOtherUp) {
  run_in_threads(5);
  EXPECT_EQ(common_->wrong, 0);
  EXPECT_EQ(common_->batches, steps_per_epoch() + 5);
}

// Without memory of its own kind a rank keeps its chunks for itself.
TEST_F(RanksShareChunks, TooLittleMemoryKeepsNothingAndChangesNothing) {
  options_.chunks = options_.chunks.first(64);
  run_in_threads();
  EXPECT_EQ(common_->wrong, 0);
  EXPECT_EQ(common_->batches, kRanks * steps_per_epoch());
}

}  // namespace
}  // namespace lockstep::data
