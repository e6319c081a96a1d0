// The logging door: what reaches the terminal (standard error) and what the rank's file.
#include "../../support/temporary_folder.h"
#include "expect_error.h"

#include <lockstep/base/file.h>
#include <lockstep/base/log.h>
#include <lockstep/base/process.h>

#include <gmock/gmock.h>
#include <unistd.h>

#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace lockstep {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Whatever a test sets is set back.
class Log : public testing::Test {
 protected:
  void TearDown() override {
    log::close_file();
    log::set_rank(0, 1);
    log::set_terminal_level(log::Level::kInfo);
  }

  static std::string terminal_of(const auto& speak) {
    testing::internal::CaptureStderr();
    speak();
    return testing::internal::GetCapturedStderr();
  }

  static void speak_at_every_level() {
    log::debug("debug {}", 1);
    log::info("info {}", 2);
    log::warning("warned {}", 3);
    log::error("failed {}", 4);
  }
};

TEST_F(Log, RankZeroSpeaksFromInfoUp) {
  EXPECT_EQ(terminal_of(speak_at_every_level), "info 2\nwarning: warned 3\nerror: failed 4\n");
}

TEST_F(Log, TerminalLevelIsObeyed) {
  log::set_terminal_level(log::Level::kDebug);
  EXPECT_THAT(terminal_of(speak_at_every_level), HasSubstr("debug 1\n"));
  log::set_terminal_level(log::Level::kWarning);
  EXPECT_EQ(terminal_of(speak_at_every_level), "warning: warned 3\nerror: failed 4\n");
  log::set_terminal_level(log::Level::kError);
  EXPECT_EQ(terminal_of(speak_at_every_level), "error: failed 4\n");
}

TEST_F(Log, OtherRanksOnlyWarnAndSayWhoTheyAre) {
  log::set_rank(3, 8);
  EXPECT_EQ(terminal_of(speak_at_every_level), "rank 3: warned 3\nrank 3: failed 4\n");
}

TEST_F(Log, FileHoldsEverythingWithTimeLevelRankHostAndProcess) {
  const TemporaryFolder folder;
  log::set_rank(3, 8);
  log::open_file(folder / "rank_00003.log");
  terminal_of(speak_at_every_level);
  log::close_file();
  const auto lines = lines_of(read_text(folder / "rank_00003.log"));
  ASSERT_EQ(lines.size(), 4U);
  const std::string who = "\\[3/8 " + host_name() + ":" + std::to_string(getpid()) + "\\] ";
  const std::string when = "....-..-..T..:..:..\\.... ";
  EXPECT_THAT(lines[0], MatchesRegex(when + "debug   " + who + "debug 1"));
  EXPECT_THAT(lines[1], MatchesRegex(when + "info    " + who + "info 2"));
  EXPECT_THAT(lines[2], MatchesRegex(when + "warning " + who + "warned 3"));
  EXPECT_THAT(lines[3], MatchesRegex(when + "error   " + who + "failed 4"));
}

TEST_F(Log, RankThatIsLearntLaterStandsInTheLinesAfter) {
  const TemporaryFolder folder;
  log::open_file(folder / "a.log");
  terminal_of([] {
    log::info("before");
    log::set_rank(1, 2);
    log::info("after");
  });
  EXPECT_THAT(lines_of(read_text(folder / "a.log")),
              ElementsAre(HasSubstr("[0/1 "), AllOf(HasSubstr("[1/2 "), HasSubstr("after"))));
}

TEST_F(Log, InfoIsOnDiskAtOnce) {
  const TemporaryFolder folder;
  log::open_file(folder / "a.log");
  terminal_of([] { log::info("a line before a crash"); });
  EXPECT_THAT(read_text(folder / "a.log"), HasSubstr("a line before a crash\n"));
}

TEST_F(Log, ReopenedFileGoesOn) {
  const TemporaryFolder folder;
  for (const char* text : {"first", "second"}) {
    log::open_file(folder / "a.log");
    terminal_of([&] { log::info("{}", text); });
    log::close_file();
  }
  EXPECT_EQ(lines_of(read_text(folder / "a.log")).size(), 2U);
}

TEST_F(Log, BracesInALineAreNoPlaceholders) {
  EXPECT_EQ(terminal_of([] { log::write(log::Level::kWarning, "{} {0}"); }), "warning: {} {0}\n");
}

TEST_F(Log, FileThatCannotBeOpenedIsAnIoError) {
  const Error error = test::thrown_by([] { log::open_file("/proc/none/a.log"); });
  EXPECT_EQ(error.code(), ExitCode::kIo);
  EXPECT_THAT(error.what(), HasSubstr("cannot open the log file /proc/none/a.log"));
}

TEST_F(Log, LinesOfManyThreadsStayWhole) {
  const TemporaryFolder folder;
  log::open_file(folder / "a.log");
  log::set_terminal_level(log::Level::kError);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([] {
      for (int i = 0; i < 200; ++i) log::info("{}", std::string(50, 'x'));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto lines = lines_of(read_text(folder / "a.log"));
  ASSERT_EQ(lines.size(), 800U);
  for (const std::string& line : lines) {
    ASSERT_THAT(line, testing::EndsWith("] " + std::string(50, 'x')));
  }
}

}  // namespace
}  // namespace lockstep
