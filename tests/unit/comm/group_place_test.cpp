#include "comm/group_place.h"

#include <lockstep/base/process.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::comm {
namespace {

TEST(GroupPlace, AnOperationNamesWhatWhereAndWho) {
  EXPECT_EQ(operation_text("all-reduce", 4 << 20, {"data", 1, 2}),
            "all-reduce of 4.0 MiB in the data group on rank 1 of 2 (" + host_name() + ")");
}

TEST(GroupPlace, ALateOneNamesTheSetting) {
  EXPECT_THAT(late_text("broadcast of 8 B", 1.5),
              testing::AllOf(testing::HasSubstr("broadcast of 8 B did not finish within 1.5 s"),
                             testing::HasSubstr("comm.timeout_s")));
}

}  // namespace
}  // namespace lockstep::comm
