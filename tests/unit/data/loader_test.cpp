// make_loader picks the loader that data.reader names.
#include "direct_loader.h"
#include "loader_fixture.h"
#include "ring_loader.h"

namespace lockstep::data {
namespace {

TEST(Loader, ReaderNamesTheKind) {
  const MemoryDataset dataset(8);
  LoaderOptions options = loader_options(dataset, 4);
  const auto ring = make_loader(dataset, gpu::host_backend(), options);
  EXPECT_NE(dynamic_cast<RingLoader*>(ring.get()), nullptr);
  options.reader = "naive";
  const auto direct = make_loader(dataset, gpu::host_backend(), options);
  EXPECT_NE(dynamic_cast<DirectLoader*>(direct.get()), nullptr);
  EXPECT_EQ(ring->sampler().steps_per_epoch(), 2);
}

TEST(Loader, SamplerOfAnotherDataSetIsAProgrammerError) {
  const MemoryDataset dataset(8);
  LoaderOptions options = loader_options(dataset, 4);
  options.sampler.num_samples = 9;
  expect_error(ExitCode::kInternal, {"another data set"}, [&] {
    make_loader(dataset, gpu::host_backend(), options);
  });
}

}  // namespace
}  // namespace lockstep::data
