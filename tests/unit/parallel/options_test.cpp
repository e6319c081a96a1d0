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

// The words of the refusal; empty when there was none.
template <class Call>
std::string refusal(const Call& call) {
  try {
    call();
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kConfig);
    return error.what();
  }
}

TEST(ParallelOptions, ZeroHasTheStagesNoneAndOne) {
  for (const std::int64_t stage : {-1, 0, 1, 2}) {
    Options options;
    options.zero = stage;
    const std::string words = refusal([&] { validate(options); });
    if (stage == 0 || stage == 1) {
      EXPECT_EQ(words, "");
    } else {
      EXPECT_NE(words.find("parallel.zero = " + std::to_string(stage)), std::string::npos) << words;
    }
  }
}

TEST(ParallelOptions, ZeroRefusesAnOptimizerThatNeedsWholeRowsOrTensors) {
  using optim::Granularity;
  Options options;
  const auto words = [&](Granularity granularity) {
    return refusal([&] { check_zero(options, {granularity, "optim.name = stand-in"}); });
  };
  EXPECT_EQ(words(Granularity::kTensor), "");
  options.zero = 1;
  EXPECT_EQ(words(Granularity::kElement), "");
  EXPECT_NE(words(Granularity::kRow).find("optim.name = stand-in needs whole rows"),
            std::string::npos);
  EXPECT_NE(words(Granularity::kTensor).find("optim.name = stand-in needs whole tensors"),
            std::string::npos);
}

}  // namespace
}  // namespace lockstep::parallel
