// The FATAL record: one line, always, with every field.
#include "apps/failure.h"

#include <gmock/gmock.h>

#include <cstdlib>

namespace lockstep::apps {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

TEST(FailureRecord, HasEveryFieldInOrder) {
  EXPECT_THAT(failure_record(config_error("optim.lr is odd"), 3, "setup", 17),
              MatchesRegex("FATAL code=78 rank=3 host=[^ ]+ pid=[0-9]+ phase=setup step=17 "
                           "cause=\"optim.lr is odd\""));
}

TEST(FailureRecord, EscapesQuotesAndStaysOneLine) {
  const std::string record = failure_record(io_error("a \"b\"\nc\td \\ e\r"), 0, "x", 0);
  EXPECT_THAT(record, HasSubstr("cause=\"a \\\"b\\\" c d \\\\ e \""));
  EXPECT_EQ(record.find_first_of("\n\r\t"), std::string::npos);
}

TEST(FailureRecord, ReportGoesToStandardErrorAndReturnsTheCode) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(report_failure(data_error("bad"), 0, "x", 0), 65);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr("FATAL code=65 "));
  EXPECT_EQ(text.find('\n'), text.size() - 1);
}

TEST(FailureRecord, TheLaunchersRankIsZeroWithoutOne) {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    unsetenv(name);
  }
  EXPECT_EQ(launcher_rank(), 0);
  setenv("PMI_RANK", "5", 1);
  EXPECT_EQ(launcher_rank(), 5);
  unsetenv("PMI_RANK");
}

}  // namespace
}  // namespace lockstep::apps
