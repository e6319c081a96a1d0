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

TEST(InspectCommand, IoPlanAndWhatIsBetter) {
  const TemporaryFolder folder;
  const std::string path = (folder / "f.h5").string();
  data::write_foreign(path, {.chunked = true, .deflate = true});
  const std::string out = inspect({path, "--order", "global", "--batch", "2"});
  for (const char* fragment : {"I/O plan",
                               "order global, batch 2",
                               "bytes inflated",
                               "--data.order window",
                               "prepare repack"}) {
    EXPECT_NE(out.find(fragment), std::string::npos) << fragment << " in\n" << out;
  }
  const auto json = nlohmann::json::parse(inspect({path, "--json"}));
  EXPECT_EQ(json["io_plan"]["order"], "window");
  EXPECT_EQ(json["io_plan"]["requests_per_sample"], 0.5);
  EXPECT_EQ(json["samples_per_chunk"], 2);
  data::write_small(folder / "a.h5", 30);
  const auto ours = nlohmann::json::parse(inspect({(folder / "a.h5").string(), "--json"}));
  EXPECT_EQ(ours["io_plan"]["bytes_read_per_useful_byte"], 1.0);
  EXPECT_TRUE(ours["io_plan"]["better"].empty());
  expect_error(ExitCode::kUsage, {"--order no"}, [&] { inspect({path, "--order", "no"}); });
}

TEST(InspectCommand, OtherNamesAreListed) {
  const TemporaryFolder folder;
  const std::string path = (folder / "f.h5").string();
  data::write_foreign(path, {.image_key = "x"});
  const std::string out = inspect({path});
  EXPECT_NE(out.find("/x  u8 (6, 4, 5)"), std::string::npos) << out;
  EXPECT_NE(out.find("--image-key x --label-key label"), std::string::npos) << out;
  const auto json = nlohmann::json::parse(inspect({path, "--json"}));
  EXPECT_EQ(json["image_key"], "x");
  EXPECT_EQ(json["data_sets"].size(), 2U);
  expect_error(ExitCode::kBadData, {"\"y\" is missing"}, [&] {
    inspect({path, "--image-key", "y"});
  });
  inspect({path, "--image-key", "x"});
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
