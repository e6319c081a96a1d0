#include "refusal.h"

#include <lockstep/optim/patterns.h>

#include <gmock/gmock.h>

namespace lockstep::optim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(Patterns, AreGlobsInWhichAStarPassesDots) {
  EXPECT_TRUE(matches("blocks.*", "blocks.3.attn.qkv.weight"));
  EXPECT_TRUE(matches("blocks.[0-2].*", "blocks.1.norm1.bias"));
  EXPECT_TRUE(matches("*.bias", "head.bias"));
  EXPECT_FALSE(matches("blocks.?", "blocks.10"));
  EXPECT_FALSE(matches("head", "head.bias"));
}

TEST(Patterns, AreListedWithCommas) {
  EXPECT_THAT(parse_patterns("k", ""), IsEmpty());
  EXPECT_THAT(parse_patterns("k", " a* ,b "), ElementsAre("a*", "b"));
  expect_refusal(
      ExitCode::kConfig, "k = a,,b has an empty pattern", [] { parse_patterns("k", "a,,b"); });
}

TEST(Patterns, MayCarryFactors) {
  EXPECT_THAT(parse_factors("k", "a*:0.5, b : 2"), ElementsAre(Pair("a*", 0.5), Pair("b", 2)));
  for (const char* text : {"a", "a:", "a:x", "a:-1", "a:1x", "a:inf"}) {
    expect_refusal(ExitCode::kConfig, "is not PATTERN:FACTOR", [&] { parse_factors("k", text); });
  }
}

TEST(Patterns, OneThatMatchesNothingIsRefusedWithANameNearIt) {
  const std::vector<std::string> names = {"cls_token", "blocks.0.attn.qkv.weight", "head.weight"};
  EXPECT_NO_THROW(require_match("optim.freeze", "head*", names));
  expect_refusal(ExitCode::kConfig,
                 "optim.freeze: block.0.* matches none of 3 parameters; one near it is "
                 "blocks.0.attn.qkv.weight",
                 [&] { require_match("optim.freeze", "block.0.*", names); });
}

}  // namespace
}  // namespace lockstep::optim
