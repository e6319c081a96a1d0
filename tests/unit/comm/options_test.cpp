#include <lockstep/base/error.h>
#include <lockstep/comm/options.h>

#include <gtest/gtest.h>

namespace lockstep::comm {
namespace {

TEST(CommOptions, TheTableFillsTheFields) {
  Options options;
  OptionTable table;
  bind_options(table, options);
  ASSERT_NE(table.find("comm.timeout_s"), nullptr);
  table.find("comm.timeout_s")->set("5");
  table.find("comm.backend")->set("mpi");
  EXPECT_EQ(options.timeout_s, 5.0);
  EXPECT_EQ(options.backend, "mpi");
  EXPECT_NO_THROW(validate(options));
}

TEST(CommOptions, RefusesWhatCannotWork) {
  Options bucket;
  bucket.bucket_mib = 0;
  EXPECT_THROW(validate(bucket), Error);
  Options timeout;
  timeout.timeout_s = -1;
  EXPECT_THROW(validate(timeout), Error);
}

}  // namespace
}  // namespace lockstep::comm
