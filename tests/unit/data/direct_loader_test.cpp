// The loader without threads delivers the same batches and the same errors.
#include "direct_loader.h"

#include "loader_fixture.h"

namespace lockstep::data {
namespace {

TEST(DirectLoader, ContentEqualsDirectReads) {
  const TemporaryFolder folder;
  write_small(folder / "a.h5", 23);
  Options naive;
  naive.reader = "naive";
  const auto dataset = open_dataset(folder / "a.h5", naive);
  LoaderOptions options = loader_options(*dataset, 4);
  options.reader = "naive";
  options.sampler.accumulate = 2;
  expect_same_as_direct_reads(*dataset, options);
}

TEST(DirectLoader, ErrorThenPadding) {
  MemoryDataset dataset(12);
  dataset.failing = 5;
  LoaderOptions options = loader_options(dataset, 4);
  options.reader = "naive";
  options.sampler.shuffle = false;
  options.num_epochs = 1;
  const auto loader = make_loader(dataset, gpu::host_backend(), options);
  EXPECT_EQ(loader->next()->num_real, 4);
  expect_error(ExitCode::kBadData, {"sample 5"}, [&] { loader->next(); });
  EXPECT_EQ(loader->next()->num_real, 0);
  EXPECT_EQ(loader->next()->num_real, 4);
  EXPECT_EQ(loader->next(), nullptr);
}

}  // namespace
}  // namespace lockstep::data
