// lockstep prepare repack, and inspect of what it makes, as a user calls them.
#include "commands.h"
#include "ragged_fixture.h"

namespace lockstep::apps {
namespace {

using data::expect_error;
using data::TemporaryFolder;

std::string run(int (*command)(Arguments), const std::vector<std::string>& arguments) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  int code = -1;
  try {
    code = command(arguments);
  } catch (...) {
    ::testing::internal::GetCapturedStdout();
    ::testing::internal::GetCapturedStderr();
    throw;
  }
  ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(code, 0);
  return ::testing::internal::GetCapturedStdout();
}

TEST(RepackCommand, ShardsAndInspectOfTheManifest) {
  const TemporaryFolder folder;
  data::write_foreign(folder / "f.h5", {.chunked = true, .deflate = true, .image_key = "x/y"});
  const std::string json = (folder / "out.json").string();
  const std::string out = run(run_prepare_repack,
                              {(folder / "f.h5").string(),
                               "--image-key",
                               "x/y",
                               "--label-key",
                               "label",
                               "--shards",
                               "2",
                               "--split",
                               "val",
                               "--out",
                               (folder / "out.h5").string()});
  EXPECT_NE(out.find("wrote " + json + ": 6 images of 4 x 5 x 1, 3 classes, 2 files"),
            std::string::npos)
      << out;
  const std::string text = run(run_inspect, {json, "--verify"});
  EXPECT_NE(text.find("6 of 4 x 5 x 1"), std::string::npos) << text;
  EXPECT_NE(text.find("every image and the digest"), std::string::npos) << text;
  run(run_prepare_repack, {json, "--deflate", "--out", (folder / "one.h5").string()});
  EXPECT_EQ(data::open_dataset(folder / "one.h5", {})->info().split, "val");
}

TEST(RepackCommand, InspectOfDifferingSizes) {
  const TemporaryFolder folder;
  data::write_ragged(folder / "j.json", {.num_samples = 7, .encoding = "jpeg"}, 2);
  const std::string text = run(run_inspect, {(folder / "j.json").string(), "--verify"});
  EXPECT_NE(text.find("7 of differing sizes, 3 channels, jpeg"), std::string::npos) << text;
  EXPECT_NE(text.find("files        2"), std::string::npos) << text;
}

TEST(RepackCommand, UsageErrors) {
  const auto refused = [](const std::vector<std::string>& arguments,
                          std::initializer_list<std::string> fragments) {
    expect_error(ExitCode::kUsage, fragments, [&] { run(run_prepare_repack, arguments); });
  };
  refused({}, {"one data set"});
  refused({"a.h5"}, {"--out is missing"});
  refused({"a.h5", "b.h5", "--out", "c.h5"}, {"one data set"});
  refused({"a.h5", "--out", "c.h5", "--shards", "5000"}, {"--shards"});
  refused({"a.h5", "--out", "c.h5", "--defalte"}, {"did you mean --deflate?"});
  EXPECT_NE(run(run_prepare_repack, {"--help"}).find("--deflate"), std::string::npos);
}

}  // namespace
}  // namespace lockstep::apps
