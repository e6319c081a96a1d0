#include "refusal.h"

#include <lockstep/eval/options.h>

namespace lockstep::eval {
namespace {

TEST(EvalOptions, ZeroMeansAsTrainAndOnlyAtTheEnd) {
  EXPECT_NO_THROW(validate(Options{0, 0}));
  EXPECT_NO_THROW(validate(Options{}));
}

TEST(EvalOptions, RefuseNegativeCounts) {
  expect_refusal(ExitCode::kConfig, "eval.every_epochs = -1", [] { validate(Options{-1, 0}); });
  expect_refusal(ExitCode::kConfig, "eval.batch = -1", [] { validate(Options{1, -1}); });
}

}  // namespace
}  // namespace lockstep::eval
