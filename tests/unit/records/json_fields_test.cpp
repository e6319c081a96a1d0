#include "records/json_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace lockstep::records {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string failure(const json& object, void (*use)(const JsonFields&)) {
  const std::filesystem::path path = "some/file.jsonl";
  try {
    use(JsonFields(object, {path, 7}));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    return error.what();
  }
  return "no error";
}

TEST(JsonFields, NamesFileLineAndKey) {
  const std::string cause =
      failure(json{{"a", 1}}, [](const JsonFields& fields) { fields.integer("b"); });
  EXPECT_THAT(cause, HasSubstr("some/file.jsonl:7"));
  EXPECT_THAT(cause, HasSubstr("\"b\" is missing"));
}

TEST(JsonFields, RefusesWhatIsNoInteger) {
  const auto read = [](const JsonFields& fields) { fields.integer("a"); };
  EXPECT_THAT(failure(json{{"a", 1e300}}, read), HasSubstr("must be an integer"));
  EXPECT_THAT(failure(json{{"a", 18446744073709551615ULL}}, read), HasSubstr("must be an integer"));
  EXPECT_THAT(failure(json{{"a", "1"}}, read), HasSubstr("must be an integer"));
  EXPECT_THAT(failure(json{{"a", nullptr}}, read), HasSubstr("must be an integer"));
  EXPECT_EQ(failure(json{{"a", -3}}, read), "no error");
}

TEST(JsonFields, RefusesNegativeCountsAndTimes) {
  EXPECT_THAT(failure(json{{"a", -1}}, [](const JsonFields& fields) { fields.count("a"); }),
              HasSubstr("less than 0"));
  EXPECT_THAT(failure(json{{"a", -0.5}}, [](const JsonFields& fields) { fields.seconds("a"); }),
              HasSubstr("less than 0"));
}

TEST(JsonFields, NullIsNotANumber) {
  const std::filesystem::path path = "f";
  const json object{{"a", nullptr}, {"e", {{"x", 0.5}, {"y", nullptr}, {"z", "text"}}}};
  const JsonFields fields(object, {path, 0});
  EXPECT_TRUE(std::isnan(fields.number("a")));
  const auto numbers = fields.numbers("e");
  ASSERT_EQ(numbers.size(), 2U);
  EXPECT_EQ(numbers[0].second, 0.5);
  EXPECT_TRUE(std::isnan(numbers[1].second));
  EXPECT_TRUE(fields.numbers("none").empty());
}

TEST(JsonFields, RefusesAnotherSchemaVersion) {
  EXPECT_THAT(
      failure(json{{"schema", 2}}, [](const JsonFields& fields) { fields.check_schema(1); }),
      HasSubstr("schema version 2, but this program reads version 1"));
  EXPECT_THAT(failure(json::array(), [](const JsonFields&) {}), HasSubstr("JSON object"));
}

}  // namespace
}  // namespace lockstep::records
