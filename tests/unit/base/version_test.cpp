// What a program says about itself, in records and in `lockstep version`.
#include <lockstep/base/version.h>

#include <gmock/gmock.h>

namespace lockstep {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(BuildInfo, HoldsTheProjectsVersionAndACommit) {
  const BuildInfo& info = build_info();
  EXPECT_EQ(info.version, LOCKSTEP_EXPECTED_VERSION);
  EXPECT_THAT(info.git_id, MatchesRegex("unknown|[0-9a-f]+(-dirty)?"));
  EXPECT_FALSE(info.compiler.empty());
}

// Ranks compare build ids before they train together.
TEST(BuildInfo, BuildIdNamesEverythingThatMayDiffer) {
  const BuildInfo& info = build_info();
  for (const std::string& part : {info.version, info.git_id, info.compiler, info.build_type}) {
    EXPECT_THAT(info.build_id, HasSubstr(part));
  }
  EXPECT_THAT(info.build_id, HasSubstr("torch-2."));
}

}  // namespace
}  // namespace lockstep
