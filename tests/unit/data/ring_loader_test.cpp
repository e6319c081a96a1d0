// The ring: content equals direct reads for any number of threads, errors arrive at their batch,
// nothing is allocated once it runs, and it ends from every state.
#include "ring_loader.h"

#include "loader_fixture.h"

#include <chrono>
#include <thread>

namespace lockstep::data {
namespace {

class SlowEvent final : public gpu::Event {
 public:
  void record(gpu::StreamHandle) override {}
  void make_wait(gpu::StreamHandle) override {}
  bool done() override { return reached; }
  void synchronize() override {
    while (!reached) std::this_thread::yield();
    ++waits;
  }
  double elapsed_ms(gpu::Event&) override { return 0; }
  std::atomic<bool> reached{false};
  std::atomic<int> waits{0};
};

class LostEvent final : public gpu::Event {
 public:
  void record(gpu::StreamHandle) override {}
  void make_wait(gpu::StreamHandle) override {}
  bool done() override { throw unavailable_error("the device is lost"); }
  void synchronize() override {}
  double elapsed_ms(gpu::Event&) override { return 0; }
};

TEST(RingLoader, ContentEqualsDirectReadsForAnyThreads) {
  const TemporaryFolder folder;
  write_small(folder / "a.h5", 53);
  const auto dataset = open_dataset(folder / "a.h5", Options{});
  for (const std::int64_t threads : {1, 2, 3, 4}) {
    for (const std::int64_t rank : {0, 1, 2}) {
      LoaderOptions options = loader_options(*dataset, 4);
      options.threads = threads;
      options.prefetch = 2 + rank;
      options.rank = rank;
      options.sampler.num_ranks = 3;
      options.sampler.accumulate = 2;
      expect_same_as_direct_reads(*dataset, options);
    }
  }
}

TEST(RingLoader, ResumesInsideAnEpoch) {
  const MemoryDataset dataset(20);
  LoaderOptions options = loader_options(dataset, 4);
  options.first_epoch = 3;
  options.first_step_in_epoch = 2;
  const auto loader = make_loader(dataset, gpu::host_backend(), options);
  const Batch* batch = loader->next();
  EXPECT_EQ(batch->epoch, 3);
  EXPECT_EQ(batch->step_in_epoch, 2);
  Sampler sampler(options.sampler);
  sampler.begin_epoch(3);
  EXPECT_EQ(batch->sample_ids[0], 1000 + sampler.micro_batch(2, 0, 0)[0]);
}

TEST(RingLoader, FirstEpochIsVerifiedAndLaterOnesAreNot) {
  for (const auto& [verify, expected] :
       {std::pair{"first_epoch", 10}, {"always", 20}, {"never", 0}}) {
    const MemoryDataset dataset(10);
    LoaderOptions options = loader_options(dataset, 3);
    options.verify = verify;
    options.first_epoch = 4;
    const auto loader = make_loader(dataset, gpu::host_backend(), options);
    while (const Batch* batch = loader->next()) loader->release(batch, nullptr);
    EXPECT_EQ(dataset.verified, expected) << verify;
  }
}

TEST(RingLoader, TheFirstEpochThatIsReadIsVerifiedWhereTheOneBeforeWasOver) {
  const MemoryDataset dataset(10);
  LoaderOptions options = loader_options(dataset, 3);
  options.first_epoch = 4;
  options.first_step_in_epoch = 4;  // of four
  const auto loader = make_loader(dataset, gpu::host_backend(), options);
  for (int step = 0; step < 4; ++step) loader->release(loader->next(), nullptr);
  EXPECT_GE(dataset.verified, 10);
}

// As after a fault of the device: what was read comes first, then the failure, once.
TEST(RingLoader, AThreadThatFailsOutsideOfABatchSaysWhy) {
  const MemoryDataset dataset(400);
  LoaderOptions options = loader_options(dataset, 4);
  options.num_epochs = 1;
  LostEvent event;
  const auto loader = make_loader(dataset, gpu::host_backend(), options);
  expect_error(ExitCode::kUnavailable, {"the device is lost"}, [&] {
    while (const Batch* batch = loader->next()) loader->release(batch, &event);
  });
  EXPECT_EQ(loader->next(), nullptr);
}

TEST(RingLoader, ErrorArrivesAtItsBatchThenPaddingThenTheRest) {
  for (const std::int64_t threads : {1, 3}) {
    MemoryDataset dataset(20);
    dataset.failing = 9;
    LoaderOptions options = loader_options(dataset, 4);
    options.sampler.shuffle = false;
    options.threads = threads;
    options.num_epochs = 1;
    const auto loader = make_loader(dataset, gpu::host_backend(), options);
    for (std::int64_t step = 0; step < 5; ++step) {
      if (step == 2) {
        expect_error(ExitCode::kBadData, {"sample 9 is bad"}, [&] { loader->next(); });
      }
      const Batch* batch = loader->next();
      ASSERT_NE(batch, nullptr);
      EXPECT_EQ(batch->step_in_epoch, step);
      EXPECT_EQ(batch->num_real, step == 2 ? 0 : 4);
      EXPECT_EQ(batch->num_real_global, 4);
      for (const float weight : batch->weights) EXPECT_EQ(weight, step == 2 ? 0.0F : 1.0F);
      for (const std::uint8_t pixel : batch->pixels) EXPECT_TRUE(step != 2 || pixel == 0);
      loader->release(batch, nullptr);
    }
    EXPECT_EQ(loader->next(), nullptr);
  }
}

TEST(RingLoader, SlabIsNotTouchedBeforeItsEvent) {
  const MemoryDataset dataset(40);
  LoaderOptions options = loader_options(dataset, 4);
  options.prefetch = 2;
  const auto loader = make_loader(dataset, gpu::host_backend(), options);
  SlowEvent event;
  const Batch* first = loader->next();
  const std::vector<std::uint8_t> before(first->pixels.begin(), first->pixels.end());
  loader->release(first, &event);
  loader->release(loader->next(), nullptr);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(std::equal(before.begin(), before.end(), first->pixels.begin()));
  event.reached = true;
  EXPECT_EQ(loader->next()->step_in_epoch, 2);
  // That one is still held: the next is in the other slab, and so the first was filled again.
  EXPECT_EQ(loader->next()->step_in_epoch, 3);
  EXPECT_EQ(event.waits, 1);
}

TEST(RingLoader, ASlabWhoseCopyGoesOnIsLeftAloneWhileThereIsAnother) {
  const MemoryDataset dataset(400);
  LoaderOptions options = loader_options(dataset, 4);
  options.prefetch = 3;
  options.num_epochs = 1;
  SlowEvent event;
  const auto loader = make_loader(dataset, gpu::host_backend(), options);
  const std::vector<const Batch*> held{loader->next(), loader->next(), loader->next()};
  const std::vector<std::uint8_t> before(held[0]->pixels.begin(), held[0]->pixels.end());
  loader->release(held[1], nullptr);
  loader->release(held[2], nullptr);
  const std::vector<const Batch*> ahead{loader->next(),
                                        loader->next()};  // both other slabs are in use
  loader->release(ahead[0], nullptr);
  loader->release(held[0], &event);
  EXPECT_EQ(loader->next()->step_in_epoch, 5);
  EXPECT_TRUE(std::equal(before.begin(), before.end(), held[0]->pixels.begin()));
  event.reached = true;
}

TEST(RingLoader, NothingIsAllocatedOnceItRuns) {
  const TemporaryFolder folder;
  write_small(folder / "a.h5", 64);
  const auto dataset = open_dataset(folder / "a.h5", Options{});
  LoaderOptions options = loader_options(*dataset, 4);
  options.threads = 2;
  options.num_epochs = -1;
  const auto loader = make_loader(*dataset, gpu::host_backend(), options);
  const auto run = [&](int steps) {
    for (int i = 0; i < steps; ++i) loader->release(loader->next(), nullptr);
  };
  // On a busy machine a reader may only start after a while: then the next round is still.
  std::uint64_t allocated = 1;
  for (int round = 0; round < 10 && allocated > 0; ++round) {
    run(100);
    const std::uint64_t before = allocation_count();
    run(200);
    allocated = allocation_count() - before;
  }
  EXPECT_EQ(allocated, 0U);
}

TEST(RingLoader, EndsFromEveryState) {
  const MemoryDataset dataset(100);
  for (int taken = 0; taken < 6; ++taken) {
    for (const std::int64_t threads : {1, 4}) {
      LoaderOptions options = loader_options(dataset, 8);
      options.threads = threads;
      options.num_epochs = taken % 2 == 0 ? -1 : 1;
      const auto loader = make_loader(dataset, gpu::host_backend(), options);
      for (int i = 0; i < taken; ++i) {
        const Batch* batch = loader->next();
        if (i % 2 == 0) loader->release(batch, nullptr);
      }
    }
  }
}

TEST(RingLoader, MisuseIsAProgrammerError) {
  const MemoryDataset dataset(100);
  LoaderOptions options = loader_options(dataset, 8);
  options.prefetch = 2;
  const auto loader = make_loader(dataset, gpu::host_backend(), options);
  const Batch* first = loader->next();
  loader->next();
  expect_error(ExitCode::kInternal, {"release one"}, [&] { loader->next(); });
  loader->release(first, nullptr);
  expect_error(ExitCode::kInternal, {"not held"}, [&] { loader->release(first, nullptr); });
}

}  // namespace
}  // namespace lockstep::data
