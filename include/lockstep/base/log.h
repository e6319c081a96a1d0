// The logging door: one line to the terminal (rank 0, warnings of every rank) and to the rank's own
// file. Logging never throws into the caller.
// Thread: every function may be called from any thread.
#pragma once

#include <lockstep/base/format.h>

#include <string>
#include <string_view>

namespace lockstep::log {

enum class Level { kDebug, kInfo, kWarning, kError };

// Who is speaking: stands in every line of the rank's file. Rank 0 is the default.
void set_rank(int rank, int world_size);
// Least level that reaches the terminal (standard error).
void set_terminal_level(Level level);
// Also writes everything from kDebug up to `path` (parent folders must exist).
// Throws: Error(kIo).
void open_file(const std::string& path);
void close_file();

void write(Level level, std::string_view line);

template <class... Args>
void debug(std::string_view text, const Args&... args) {
  write(Level::kDebug, format(text, args...));
}
template <class... Args>
void info(std::string_view text, const Args&... args) {
  write(Level::kInfo, format(text, args...));
}
template <class... Args>
void warning(std::string_view text, const Args&... args) {
  write(Level::kWarning, format(text, args...));
}
template <class... Args>
void error(std::string_view text, const Args&... args) {
  write(Level::kError, format(text, args...));
}

}  // namespace lockstep::log
