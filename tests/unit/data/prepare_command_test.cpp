// lockstep prepare as a user calls it.
#include "commands.h"
#include "data_fixture.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace lockstep::apps {
namespace {

using data::expect_error;
using data::TemporaryFolder;

struct Result {
  int code = -1;
  std::string out;
};

Result prepare(const std::vector<std::string>& arguments) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Result result;
  try {
    result.code = run_prepare(arguments);
  } catch (...) {
    ::testing::internal::GetCapturedStdout();
    ::testing::internal::GetCapturedStderr();
    throw;
  }
  result.out = ::testing::internal::GetCapturedStdout();
  ::testing::internal::GetCapturedStderr();
  return result;
}

TEST(PrepareCommand, SyntheticWritesAFileAndASummaryLine) {
  const TemporaryFolder folder;
  const std::string out = (folder / "s.h5").string();
  const Result result = prepare({"synthetic",
                                 "--out",
                                 out,
                                 "--num-samples",
                                 "20",
                                 "--image-size",
                                 "8",
                                 "--classes",
                                 "4",
                                 "--channels",
                                 "3",
                                 "--seed",
                                 "5"});
  EXPECT_EQ(result.code, 0);
  EXPECT_NE(result.out.find("wrote " + out + ": 20 images of 8 x 8 x 3, 4 classes"),
            std::string::npos)
      << result.out;
  EXPECT_EQ(data::open_dataset(out, {})->info().classes.size(), 4U);
  EXPECT_EQ(prepare({"synthetic",
                     "--out",
                     out,
                     "--force",
                     "--num-samples",
                     "5",
                     "--task",
                     "detection",
                     "--split",
                     "val"})
                .code,
            0);
  EXPECT_EQ(data::open_dataset(out, {})->info().task, "detection");
  EXPECT_EQ(data::open_dataset(out, {})->info().split, "val");
}

TEST(PrepareCommand, FashionMnistIsTheKnownSet) {
  const std::filesystem::path source = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(source)) GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  const TemporaryFolder folder;
  const std::string out = (folder / "t.h5").string();
  EXPECT_EQ(prepare({"idx",
                     (source / "t10k-images-idx3-ubyte.gz").string(),
                     (source / "t10k-labels-idx1-ubyte.gz").string(),
                     "--out",
                     out})
                .code,
            0);
  const auto dataset = data::open_dataset(out, {});
  EXPECT_EQ(dataset->info().num_samples, 10000);
  EXPECT_EQ(dataset->info().height, 28);
  EXPECT_NEAR(dataset->info().image_mean[0], 0.2868, 5e-4);
  EXPECT_NEAR(dataset->info().image_std[0], 0.3524, 5e-4);
  EXPECT_EQ(dataset->label(0), 9);
}

TEST(PrepareCommand, HelpOfEveryKind) {
  EXPECT_NE(prepare({"--help"}).out.find("synthetic"), std::string::npos);
  EXPECT_NE(prepare({"idx", "--help"}).out.find("--classes"), std::string::npos);
  EXPECT_NE(prepare({"synthetic", "--help"}).out.find("--num-samples"), std::string::npos);
}

TEST(PrepareCommand, UsageErrors) {
  const auto refused = [](const std::vector<std::string>& arguments,
                          std::initializer_list<std::string> fragments) {
    expect_error(ExitCode::kUsage, fragments, [&] { prepare(arguments); });
  };
  refused({}, {"needs a kind"});
  refused({"sinthetic"}, {"did you mean synthetic?"});
  refused({"idx", "a"}, {"two files"});
  refused({"idx", "a", "b"}, {"--out is missing"});
  refused({"idx", "a", "b", "--otu", "x"}, {"did you mean --out?"});
  refused({"synthetic", "--out", "x.h5"}, {"--num-samples is missing"});
  refused({"synthetic", "--out", "x.h5", "--num-samples", "many"}, {"--num-samples many"});
  refused({"synthetic", "--out", "x.h5", "--num-samples", "3", "--task", "x"}, {"--task x"});
  refused({"synthetic", "--out", "x.h5", "--num-samples", "0"}, {"--num-samples"});
  refused({"synthetic", "extra", "--out", "x.h5", "--num-samples", "3"}, {"extra"});
}

TEST(PrepareCommand, ExistingTargetIsAnInputOutputError) {
  const TemporaryFolder folder;
  data::write_file(folder / "a.h5", "mine");
  expect_error(ExitCode::kIo, {"a.h5 exists"}, [&] {
    prepare({"synthetic", "--out", (folder / "a.h5").string(), "--num-samples", "3"});
  });
}

TEST(PrepareCommand, TermSignalRemovesTheTemporaryFile) {
  const TemporaryFolder folder;
  const std::string out = (folder / "big.h5").string();
  const pid_t child = fork();
  if (child == 0) {
    const std::vector<std::string> arguments{
        "synthetic", "--out", out, "--num-samples", "2000000", "--image-size", "32"};
    _exit(run_prepare(arguments));
  }
  while (folder.names().empty()) usleep(1000);
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
  EXPECT_TRUE(folder.names().empty());
}

}  // namespace
}  // namespace lockstep::apps
