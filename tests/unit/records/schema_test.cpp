#include <lockstep/records/schema.h>

#include <gtest/gtest.h>

#include <set>

namespace lockstep::records {
namespace {

// Scripts outside the project read these names: a change here must raise the schema version.
TEST(Schema, BinKeysAreTheAgreedOnes) {
  const std::array<std::string_view, 9> expected{"data_wait",
                                                 "host_to_device",
                                                 "forward",
                                                 "backward",
                                                 "comm_exposed",
                                                 "optimizer",
                                                 "snapshot",
                                                 "eval",
                                                 "other"};
  EXPECT_EQ(kBinKeys, expected);
  EXPECT_EQ(kRankSchema, 1);
  EXPECT_EQ(kMetricsSchema, 1);
  EXPECT_EQ(kResultSchema, 1);
}

}  // namespace
}  // namespace lockstep::records
