#include <lockstep/base/error.h>
#include <lockstep/parallel/options.h>

#include <gtest/gtest.h>

namespace lockstep::parallel {
namespace {

TEST(ParallelOptions, ZeroMeansNeverAndLessIsRefused) {
  Options options;
  EXPECT_NO_THROW(validate(options));
  options.digest_every = 0;
  EXPECT_NO_THROW(validate(options));
  options.digest_every = -1;
  try {
    validate(options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kConfig);
    EXPECT_NE(std::string(error.what()).find("parallel.digest_every = -1"), std::string::npos);
  }
}

}  // namespace
}  // namespace lockstep::parallel
