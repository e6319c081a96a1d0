// lockstep collect, called as the front program calls it.
#include "../../../src/apps/commands.h"
#include "../../support/temporary_folder.h"
#include "made_run.h"

#include <lockstep/base/error.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace lockstep::apps {
namespace {

using report::made_run;
using report::write_run;
using testing::HasSubstr;

std::string printed(const std::vector<std::string>& arguments) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_collect(arguments), 0);
  return testing::internal::GetCapturedStdout();
}

void expect_error(const std::vector<std::string>& arguments,
                  ExitCode code,
                  const std::string& part) {
  try {
    run_collect(arguments);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

TEST(Collect, PrintsTheTableAndWritesBothFiles) {
  TemporaryFolder folder;
  write_run(folder / "run", made_run(2));
  const std::string out = (folder / "out/deeper").string();
  const std::string text = printed({(folder / "run").string(), "--out", out});
  EXPECT_THAT(text, HasSubstr("verdict: "));
  EXPECT_THAT(text, HasSubstr("top1 0.875"));
  EXPECT_EQ(read_text(out + "/report.txt"), text);
  EXPECT_EQ(nlohmann::json::parse(read_text(out + "/report.json"))["schema"], 1);
}

TEST(Collect, JsonGoesToStandardOutputWhenAskedFor) {
  TemporaryFolder folder;
  write_run(folder / "a", made_run(1));
  write_run(folder / "b", made_run(2));
  const std::string text = printed({(folder / "a").string(),
                                    (folder / "b").string(),
                                    "--out",
                                    (folder / "o").string(),
                                    "--json"});
  EXPECT_EQ(nlohmann::json::parse(text)["runs"].size(), 2U);
}

TEST(Collect, OneRunHasItsReportInItsOwnFolder) {
  TemporaryFolder folder;
  write_run(folder / "run", made_run(1));
  printed({(folder / "run").string()});
  EXPECT_TRUE(std::filesystem::exists(folder / "run/report/report.json"));
  printed({(folder / "run").string()});  // again
}

TEST(Collect, WrongArgumentsAndFoldersAreNamed) {
  TemporaryFolder folder;
  write_run(folder / "run", made_run(1));
  const std::string run = (folder / "run").string();
  expect_error({}, ExitCode::kUsage, "run directory");
  expect_error({run, run}, ExitCode::kUsage, "--out");
  expect_error({run, "--ot", "x"}, ExitCode::kUsage, "--out");
  const std::string out = (folder / "out").string();
  expect_error({run, folder.path().string(), "--out", out}, ExitCode::kBadData, "holds no run");
  EXPECT_FALSE(std::filesystem::exists(out));
  write_file(folder / "file", "");
  expect_error({run, "--out", (folder / "file").string()}, ExitCode::kIo, "file");
}

}  // namespace
}  // namespace lockstep::apps
