#include "weights/header.h"

#include <lockstep/base/error.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace lockstep::weights {
namespace {

TEST(Header, ReadsEntriesAndMetadata) {
  const Header header = parse_header(
      R"({"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]}}  )",
      "f");
  EXPECT_EQ(header.metadata.at("a"), "b");
  const HeaderEntry& entry = header.entries.at("x");
  EXPECT_EQ(entry.dtype, DType::kF32);
  EXPECT_EQ(entry.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(entry.begin, 4U);
  EXPECT_EQ(entry.end, 28U);
}

std::string cause_of(const std::string& text) {
  try {
    parse_header(text, "file.safetensors");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    return error.what();
  }
  return "accepted";
}

TEST(Header, MessagesNameFileAndKey) {
  const std::string cause = cause_of(R"({"x":{"dtype":"F31","shape":[],"data_offsets":[0,4]}})");
  EXPECT_THAT(cause, testing::HasSubstr("file.safetensors"));
  EXPECT_THAT(cause, testing::HasSubstr("\"x\""));
  EXPECT_THAT(cause, testing::HasSubstr("F31"));
}

TEST(Header, DeepNestingEndsAtOnce) {
  EXPECT_THAT(cause_of("{\"x\":" + std::string(1000000, '[')), testing::HasSubstr("\"x\""));
  EXPECT_THAT(cause_of("{\"x\":{\"shape\":" + std::string(1000000, '[')), testing::HasSubstr("x"));
}

TEST(Header, ALongKeyIsCutInTheMessage) {
  EXPECT_LT(cause_of("{\"" + std::string(100000, 'k') + "\":1}").size(), 400U);
}

}  // namespace
}  // namespace lockstep::weights
