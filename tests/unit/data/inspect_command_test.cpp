// lockstep inspect as a user calls it.
#include "commands.h"
#include "data_fixture.h"

#include <nlohmann/json.hpp>

namespace lockstep::apps {
namespace {

using data::expect_error;
using data::TemporaryFolder;

std::string inspect(const std::vector<std::string>& arguments) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  std::exception_ptr error;
  try {
    EXPECT_EQ(run_inspect(arguments), 0);
  } catch (...) {
    error = std::current_exception();
  }
  std::string out = ::testing::internal::GetCapturedStdout();
  ::testing::internal::GetCapturedStderr();
  if (error) std::rethrow_exception(error);
  return out;
}

TEST(InspectCommand, TextHoldsSchemaAndClasses) {
  const TemporaryFolder folder;
  data::write_small(folder / "a.h5", 30);
  const std::string out = inspect({(folder / "a.h5").string(), "--verify"});
  for (const char* fragment : {"lockstep 1",
                               "30 of 16 x 16 x 1",
                               "/images",
                               "contiguous at byte",
                               "classes",
                               "every image and the digest"}) {
    EXPECT_NE(out.find(fragment), std::string::npos) << fragment << " in\n" << out;
  }
}

TEST(InspectCommand, JsonIsOneObject) {
  const TemporaryFolder folder;
  data::write_small(folder / "a.h5", 30, true);
  const auto json =
      nlohmann::json::parse(inspect({(folder / "a.h5").string(), "--json", "--verify"}));
  EXPECT_EQ(json["num_samples"], 30);
  EXPECT_EQ(json["task"], "detection");
  EXPECT_EQ(json["data_sets"].size(), 8U);
  EXPECT_EQ(json["verified"]["good"], true);
  EXPECT_EQ(json["samples_per_class"].size(), 3U);
}

TEST(InspectCommand, DamageIsBadData) {
  const TemporaryFolder folder;
  const auto path = folder / "a.h5";
  data::write_small(path, 30);
  std::string bytes = data::read_file(path);
  bytes[bytes.size() / 2] = static_cast<char>(~bytes[bytes.size() / 2]);
  data::write_file(path, bytes);
  inspect({path.string()});
  expect_error(ExitCode::kBadData, {path.string(), "1 of 30 images", "sample"}, [&] {
    inspect({path.string(), "--verify"});
  });
}

TEST(InspectCommand, UsageErrors) {
  expect_error(ExitCode::kUsage, {"one file"}, [] { inspect({}); });
  expect_error(ExitCode::kUsage, {"did you mean --verify?"}, [] { inspect({"a", "--verfy"}); });
  expect_error(ExitCode::kIo, {"nothing.h5"}, [] { inspect({"nothing.h5"}); });
}

}  // namespace
}  // namespace lockstep::apps
