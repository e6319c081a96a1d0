#include <lockstep/base/clock.h>
#include <lockstep/base/format.h>
#include <lockstep/base/log.h>
#include <lockstep/base/progress.h>
#include <lockstep/base/units.h>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace lockstep {
namespace {

constexpr double kTerminalInterval_s = 0.1;
constexpr double kLogInterval_s = 10.0;
constexpr int kBarWidth = 24;

}  // namespace

Progress::Progress(std::string label, std::int64_t total, std::string unit)
    : label_(std::move(label)),
      total_(total),
      unit_(std::move(unit)),
      start_s_(now_s()),
      last_draw_s_(start_s_),
      terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { finish(); }

void Progress::advance(std::int64_t amount) {
  done_ += amount;
  const double interval_s = terminal_ ? kTerminalInterval_s : kLogInterval_s;
  if (now_s() - last_draw_s_ >= interval_s) draw(false);
}

void Progress::finish() {
  if (finished_) return;
  finished_ = true;
  draw(true);
}

void Progress::draw(bool last) {
  last_draw_s_ = now_s();
  const double elapsed_s = last_draw_s_ - start_s_;
  const double rate = elapsed_s > 0 ? static_cast<double>(done_) / elapsed_s : 0;
  std::string line = format("{}: {} {}, {}/s", label_, done_, unit_, count_text(rate));
  if (total_ > 0) {
    const double share = static_cast<double>(done_) / static_cast<double>(total_);
    line = format("{}: {}/{} {} ({:.0f} %), {}/s",
                  label_,
                  done_,
                  total_,
                  unit_,
                  share * 100,
                  count_text(rate));
    if (!last && rate > 0 && done_ < total_) {
      line += ", " + duration_text(static_cast<double>(total_ - done_) / rate) + " left";
    }
    if (terminal_) {
      const auto filled = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * kBarWidth);
      line = "[" + std::string(filled, '#') + std::string(kBarWidth - filled, ' ') + "] " + line;
    }
  }
  if (last) line += ", " + duration_text(elapsed_s);
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s%s", line.c_str(), last ? "\n" : "");
    std::fflush(stderr);
  } else {
    log::info("{}", line);
  }
}

}  // namespace lockstep
