#include "refusal.h"

#include <lockstep/comm/options.h>

namespace lockstep::comm {
namespace {

TEST(CommOptions, DefaultsAreValid) { EXPECT_NO_THROW(validate(Options{})); }

TEST(CommOptions, RefuseBucketsAndTimesThatAreNotPositive) {
  for (double Options::*field : {&Options::first_bucket_mib, &Options::timeout_s}) {
    Options options;
    options.*field = 0;
    expect_refusal(ExitCode::kConfig, "is not positive", [&] { validate(options); });
  }
}

TEST(CommOptions, ABucketMayBeLeftToMeasurement) {
  Options options;
  options.bucket_mib.reset();
  EXPECT_NO_THROW(validate(options));
  options.bucket_mib = 0;
  expect_refusal(ExitCode::kConfig, "comm.bucket_mib", [&] { validate(options); });
}

TEST(CommOptions, RefuseThreadBlocksThatNcclDoesNotTake) {
  for (const std::int64_t ctas : {-1, 65}) {
    Options options;
    options.max_ctas = ctas;
    expect_refusal(ExitCode::kConfig, "comm.max_ctas", [&] { validate(options); });
  }
}

TEST(CommOptions, RefuseUnknownBackends) {
  Options options;
  OptionTable table;
  bind_options(table, options);
  table.find("comm.backend")->set("nccl");
  EXPECT_EQ(options.backend, "nccl");
  expect_refusal(
      ExitCode::kConfig, "auto, mpi, nccl", [&] { table.find("comm.backend")->set("gloo"); });
}

}  // namespace
}  // namespace lockstep::comm
