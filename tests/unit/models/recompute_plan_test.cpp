#include <lockstep/base/error.h>
#include <lockstep/models/recompute_plan.h>

#include <gtest/gtest.h>

namespace lockstep::models {
namespace {

TEST(RecomputePlan, ReadsWhatItWrites) {
  for (const char* text : {"none",
                           "every:1",
                           "every:12",
                           "selective:gelu",
                           "selective:mlp",
                           "selective:attention",
                           "selective:attention,mlp",
                           "selective:attention,gelu"}) {
    EXPECT_EQ(recompute_text(parse_recompute(text)), text);
  }
  EXPECT_TRUE(parse_recompute("selective:mlp,attention").attention);
  EXPECT_EQ(parse_recompute("every:3").every, 3);
}

std::string words_of(const std::string& text) {
  try {
    parse_recompute(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kConfig);
    return error.what();
  }
  return "accepted";
}

TEST(RecomputePlan, RefusesAnythingElseAndSaysWhy) {
  for (const char* text : {"", "all", "every", "selective", "None"}) {
    EXPECT_NE(words_of(text).find("is no mode: write none, every:K"), std::string::npos) << text;
  }
  for (const char* text :
       {"every:", "every:0", "every:-1", "every:1.5", "every:99999999999999999999"}) {
    EXPECT_NE(words_of(text).find("names no number of blocks"), std::string::npos) << text;
  }
  EXPECT_NE(words_of("selective:").find("has no part \"\""), std::string::npos);
  EXPECT_NE(words_of("selective:mlp,norm").find("has no part \"norm\""), std::string::npos);
  EXPECT_NE(words_of("selective:mlp,mlp").find("names mlp twice"), std::string::npos);
  EXPECT_NE(words_of("selective:gelu,mlp").find("gelu, which is part of mlp"), std::string::npos);
}

TEST(RecomputePlan, GroupsMustLeaveSomethingToRecompute) {
  EXPECT_NO_THROW(check_recompute(parse_recompute("every:11"), 12));
  EXPECT_NO_THROW(check_recompute(parse_recompute("selective:mlp"), 1));
  EXPECT_NO_THROW(check_recompute({}, 1));
  EXPECT_THROW(check_recompute(parse_recompute("every:12"), 12), Error);
  EXPECT_THROW(check_recompute(parse_recompute("every:1"), 1), Error);
}

}  // namespace
}  // namespace lockstep::models
