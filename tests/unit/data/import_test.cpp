// An import that is stopped in the middle leaves nothing; callbacks count every sample.
#include "data_fixture.h"

#include <stdexcept>

namespace lockstep::data {
namespace {

TEST(Import, CallbacksCountSamples) {
  const TemporaryFolder folder;
  std::int64_t written = 0;
  std::int64_t verified = 0;
  import_samples(
      *make_synthetic(small_options(12)),
      {folder / "a.h5", "", false, 0},
      [&](std::int64_t amount) { written += amount; },
      [&](std::int64_t amount) { verified += amount; });
  EXPECT_EQ(written, 12);
  EXPECT_EQ(verified, 12);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.h5"});
}

TEST(Import, StoppedWorkLeavesNothing) {
  const TemporaryFolder folder;
  for (const bool while_verifying : {false, true}) {
    const auto stop = [](std::int64_t) { throw std::runtime_error("stop"); };
    const std::function<void(std::int64_t)> none;
    EXPECT_THROW(import_samples(*make_synthetic(small_options(12)),
                                {folder / "a.h5", "", false, 0},
                                while_verifying ? none : stop,
                                while_verifying ? stop : none),
                 std::runtime_error);
    EXPECT_TRUE(folder.names().empty());
  }
}

}  // namespace
}  // namespace lockstep::data
