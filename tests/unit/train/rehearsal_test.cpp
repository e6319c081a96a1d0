#include "train/rehearsal.h"

#include "tiny_run.h"

#include <ATen/core/Tensor.h>

namespace lockstep::train {
namespace {

TEST(Rehearsal, OneRankHasNothingToMeasure) {
  TinyRun run;
  run.settings.comm.bucket_mib.reset();
  run.settings.comm.first_bucket_mib = 0.25;
  run.settings.run.determinism = "bitwise";  // refused where there is something to measure
  const auto session = open_session(run.job);
  EXPECT_EQ(session->buckets.buckets.size(), 1U) << "the default, and the model is small";
}

TEST(Rehearsal, TheHeadComesFirstInBackward) {
  TinyRun run;
  const auto session = open_session(run.job);
  const auto& named = session->arena->named();
  const auto first = static_cast<std::size_t>(session->buckets.buckets.front().parameters.front());
  EXPECT_EQ(named[first].name.substr(0, 5), "head.");
}

}  // namespace
}  // namespace lockstep::train
