#include "apps/agreed_facts.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace lockstep::apps {
namespace {

TEST(AgreedFacts, IniLinesBecomeSectionDotKey) {
  const auto facts = facts_of_ini("# x = y\n[run]\nseed = 3\n\n[optim]\nlr = 1 = 2\nname =\n");
  ASSERT_EQ(facts.size(), 2U);
  EXPECT_EQ(facts[0].key, "run.seed");
  EXPECT_EQ(facts[0].value, "3");
  EXPECT_EQ(facts[1].key, "optim.lr");
  EXPECT_EQ(facts[1].value, "1 = 2");
}

TEST(AgreedFacts, CommandFlagsBuildAndSettings) {
  config::CommandLine line;
  line.flags["json"] = "true";
  line.settings.optim.lr = 0.125;
  const auto facts = agreed_facts("some MPI", config::train_command(), line);
  const auto value = [&facts](const std::string& key) {
    const auto found = std::ranges::find(facts, key, &comm::Fact::key);
    return found == facts.end() ? "missing" : found->value;
  };
  EXPECT_EQ(value("command"), "train");
  EXPECT_EQ(value("--json"), "true");
  EXPECT_EQ(value("MPI"), "some MPI");
  EXPECT_EQ(value("optim.lr"), "0.125");
  EXPECT_NE(value("version of build_id"), "missing");
  EXPECT_EQ(value("--help"), "not given");
}

}  // namespace
}  // namespace lockstep::apps
