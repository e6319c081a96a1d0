#include "train/run_folder.h"

#include "tiny_run.h"

#include <lockstep/base/file.h>
#include <lockstep/base/log.h>
#include <lockstep/base/version.h>

#include <nlohmann/json.hpp>

namespace lockstep::train {
namespace {

class RunFolderTest : public testing::Test {
 protected:
  ~RunFolderTest() override { log::close_file(); }
  void create() {
    RunFolder folder(run_.job);
    const auto data = data::open_dataset(run_.settings.data.train, run_.settings.data);
    folder.create(*data, nullptr);
  }
  TinyRun run_;
};

TEST_F(RunFolderTest, HoldsWhatIsKnownAtTheStart) {
  create();
  EXPECT_EQ(read_text(run_.run_dir() / "config.resolved.ini"), run_.job.resolved_ini);
  EXPECT_EQ(read_text(run_.run_dir() / "command.txt"), "lockstep train\n");
  EXPECT_TRUE(std::filesystem::exists(run_.run_dir() / "logs" / "rank_00000.log"));
  EXPECT_TRUE(std::filesystem::is_directory(run_.run_dir() / "ranks"));
  const auto environment = nlohmann::json::parse(read_text(run_.run_dir() / "environment.json"));
  EXPECT_EQ(environment.at("world_size"), 1);
  EXPECT_EQ(environment.at("ranks").size(), 1U);
  EXPECT_FALSE(environment.at("ranks")[0].at("host").get<std::string>().empty());
  EXPECT_EQ(environment.at("train").at("num_samples"), 20);
  for (const auto& [name, value] : build_facts()) {
    EXPECT_EQ(environment.at("versions").at(name), value);
  }
  EXPECT_EQ(environment.at("versions").at("communication"), run_.world->description());
}

TEST_F(RunFolderTest, NameIsTheTimeWhenNoneIsGiven) {
  run_.settings.run.dir = "";
  const RunFolder folder(run_.job);
  EXPECT_TRUE(folder.path().string().starts_with("runs/2")) << folder.path();
  EXPECT_FALSE(std::filesystem::exists(folder.path()));
}

TEST_F(RunFolderTest, TakesAnEmptyFolder) {
  std::filesystem::create_directories(run_.run_dir());
  EXPECT_NO_THROW(create());
}

TEST_F(RunFolderTest, RefusesAFolderThatIsNotEmpty) {
  std::filesystem::create_directories(run_.run_dir());
  write_file(run_.run_dir() / "notes", "mine");
  expect_agreed_error(ExitCode::kIo, "is not empty", [&] { RunFolder folder(run_.job); });
}

TEST_F(RunFolderTest, RefusesWhatIsNoFolder) {
  write_file(run_.run_dir(), "a file");
  expect_agreed_error(ExitCode::kIo, "is a file", [&] { RunFolder folder(run_.job); });
  run_.settings.run.dir = (run_.run_dir() / "below").string();
  expect_agreed_error(ExitCode::kIo, "cannot be made", [&] { RunFolder folder(run_.job); });
}

TEST_F(RunFolderTest, NothingStaysWhenItCannotBeMade) {
  RunFolder folder(run_.job);
  const auto data = data::open_dataset(run_.settings.data.train, run_.settings.data);
  // Something else takes the name of a sub-folder in between.
  std::filesystem::create_directories(run_.run_dir());
  write_file(run_.run_dir() / "snapshots", "in the way");
  expect_agreed_error(ExitCode::kIo, "snapshots", [&] { folder.create(*data, nullptr); });
  EXPECT_FALSE(std::filesystem::exists(run_.run_dir()));
}

TEST_F(RunFolderTest, AnEmptyFolderOfTheUserStaysEmpty) {
  std::filesystem::create_directories(run_.run_dir());
  RunFolder folder(run_.job);
  const auto data = data::open_dataset(run_.settings.data.train, run_.settings.data);
  write_file(run_.run_dir() / "logs", "in the way");
  expect_agreed_error(ExitCode::kIo, "logs", [&] { folder.create(*data, nullptr); });
  EXPECT_TRUE(std::filesystem::is_empty(run_.run_dir()));
}

}  // namespace
}  // namespace lockstep::train
