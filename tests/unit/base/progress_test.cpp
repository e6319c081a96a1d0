// Progress: plain lines where standard error is no terminal, a bar where it is one.
#include <lockstep/base/progress.h>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <pty.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

namespace lockstep {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

template <class Work>
std::string plain_text_of(const Work& work) {
  testing::internal::CaptureStderr();
  work();
  return testing::internal::GetCapturedStderr();
}

// Standard error is a terminal while `work` runs; returns what was drawn.
template <class Work>
std::string terminal_text_of(const Work& work) {
  int master = -1;
  int slave = -1;
  if (openpty(&master, &slave, nullptr, nullptr, nullptr) != 0) return {};
  const int before = dup(STDERR_FILENO);
  dup2(slave, STDERR_FILENO);
  work();
  dup2(before, STDERR_FILENO);
  close(before);
  fcntl(master, F_SETFL, O_NONBLOCK);
  std::string text;
  char part[4096];
  for (ssize_t count = 0; (count = read(master, part, sizeof part)) > 0;) {
    text.append(part, static_cast<std::size_t>(count));
  }
  close(slave);
  close(master);
  return text;
}

void wait_for_a_redraw() { std::this_thread::sleep_for(std::chrono::milliseconds(120)); }

TEST(ProgressInALog, IsOneLineAtTheEndOfShortWork) {
  const std::string text = plain_text_of([] {
    Progress progress("prepare", 60000, "images");
    for (int i = 0; i < 60; ++i) progress.advance(1000);
    progress.finish();
    progress.finish();
  });
  EXPECT_THAT(text,
              MatchesRegex("prepare: 60000/60000 images \\(100 %\\), [0-9.]+ ?[kMG]?/s, .*\n"));
  EXPECT_THAT(text, Not(HasSubstr("\r")));
  EXPECT_THAT(text, Not(HasSubstr("#")));
  EXPECT_THAT(text, Not(HasSubstr("left")));
}

TEST(ProgressInALog, UnknownTotalHasNoShare) {
  const std::string text = plain_text_of([] {
    Progress progress("scan", 0, "files");
    progress.advance(3);
  });
  EXPECT_THAT(text, StartsWith("scan: 3 files, "));
  EXPECT_THAT(text, Not(HasSubstr("%")));
  EXPECT_THAT(text, Not(HasSubstr("/0")));
}

TEST(ProgressInALog, NothingDoneDividesByNothing) {
  for (const std::int64_t total : {0, 10}) {
    const std::string text = plain_text_of([&] { Progress progress("idle", total, "steps"); });
    EXPECT_THAT(text, HasSubstr("0/s"));
    EXPECT_THAT(text, Not(HasSubstr("nan")));
    EXPECT_THAT(text, Not(HasSubstr("inf")));
  }
}

TEST(ProgressOnATerminal, DrawsABarWithTimeLeftAndEndsItsLine) {
  const std::string text = terminal_text_of([] {
    Progress progress("prepare", 4, "images");
    wait_for_a_redraw();
    progress.advance();
    progress.advance(3);
  });
  if (text.empty()) GTEST_SKIP() << "no pseudo-terminal here";
  EXPECT_THAT(text, HasSubstr("\r\033[K[######                  ] prepare: 1/4 images (25 %), "));
  EXPECT_THAT(text, HasSubstr(" left"));
  EXPECT_THAT(text, HasSubstr("\r\033[K[########################] prepare: 4/4 images (100 %), "));
  EXPECT_THAT(text, testing::EndsWith("\n"));
}

TEST(ProgressOnATerminal, MoreThanTheTotalStaysAFullBar) {
  const std::string text = terminal_text_of([] {
    Progress progress("prepare", 2, "images");
    wait_for_a_redraw();
    progress.advance(5);
  });
  if (text.empty()) GTEST_SKIP() << "no pseudo-terminal here";
  EXPECT_THAT(text, HasSubstr("[########################] prepare: 5/2 images (250 %), "));
  EXPECT_THAT(text, Not(HasSubstr("left")));
}

TEST(ProgressOnATerminal, RedrawsAtMostTenTimesASecond) {
  const std::string text = terminal_text_of([] {
    Progress progress("prepare", 100000, "images");
    for (int i = 0; i < 100000; ++i) progress.advance();
  });
  if (text.empty()) GTEST_SKIP() << "no pseudo-terminal here";
  EXPECT_LE(std::ranges::count(text, '\r'), 20);
}

}  // namespace
}  // namespace lockstep
