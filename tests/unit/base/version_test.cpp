// What a program says about itself, in records and in `lockstep version`.
#include <lockstep/base/version.h>

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <utility>

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

TEST(BuildInfo, FactsNameEveryPartOnce) {
  const auto facts = build_facts();
  ASSERT_FALSE(facts.empty());
  EXPECT_EQ(facts.front(), (std::pair<std::string, std::string>("lockstep", build_info().version)));
  std::set<std::string> names;
  for (const auto& [name, value] : facts) {
    EXPECT_FALSE(value.empty()) << name;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  for (const char* part : {"libtorch", "cuda", "nccl", "mpi", "hdf5", "boost"}) {
    EXPECT_TRUE(names.contains(part)) << part;
  }
}

}  // namespace
}  // namespace lockstep
