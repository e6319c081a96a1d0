#include <lockstep/base/error.h>
#include <lockstep/base/log.h>
#include <lockstep/base/process.h>

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>
#include <mutex>

namespace lockstep::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

struct State {
  State() {
    terminal->set_pattern("%v");
    terminal_logger = std::make_shared<spdlog::logger>("terminal", terminal);
    terminal_logger->set_level(spdlog::level::info);
  }
  std::mutex mutex;
  int rank = 0;
  int world_size = 1;
  std::shared_ptr<spdlog::sinks::stderr_sink_mt> terminal =
      std::make_shared<spdlog::sinks::stderr_sink_mt>();
  std::shared_ptr<spdlog::logger> terminal_logger;
  std::shared_ptr<spdlog::logger> file_logger;
};

// Never destroyed: a thread may still speak while the program ends.
State& state() {
  static State& instance = *new State;
  return instance;
}

std::string file_pattern(int rank, int world_size) {
  return format("%Y-%m-%dT%H:%M:%S.%e %-7l [{}/{} {}:%P] %v", rank, world_size, host_name());
}

}  // namespace

void set_rank(int rank, int world_size) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.rank = rank;
  s.world_size = world_size;
  if (s.file_logger) s.file_logger->set_pattern(file_pattern(rank, world_size));
}

void set_terminal_level(Level level) { state().terminal_logger->set_level(to_spdlog(level)); }

void open_file(const std::string& path) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path, false);
    s.file_logger = std::make_shared<spdlog::logger>("file", sink);
  } catch (const spdlog::spdlog_ex& error) {
    throw io_error(format("cannot open the log file {}: {}", path, error.what()));
  }
  s.file_logger->set_level(spdlog::level::debug);
  s.file_logger->flush_on(spdlog::level::info);
  s.file_logger->set_pattern(file_pattern(s.rank, s.world_size));
}

void close_file() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.file_logger.reset();
}

void write(Level level, std::string_view line) {
  State& s = state();
  std::shared_ptr<spdlog::logger> file;
  int rank = 0;
  {
    const std::lock_guard lock(s.mutex);
    file = s.file_logger;
    rank = s.rank;
  }
  const spdlog::string_view_t text(line.data(), line.size());
  if (file) file->log(to_spdlog(level), text);
  if (rank == 0) {
    if (level >= Level::kWarning) {
      s.terminal_logger->log(
          to_spdlog(level), "{}: {}", level == Level::kError ? "error" : "warning", text);
    } else {
      s.terminal_logger->log(to_spdlog(level), text);
    }
  } else if (level >= Level::kWarning) {
    s.terminal_logger->log(to_spdlog(level), "rank {}: {}", rank, text);
  }
}

}  // namespace lockstep::log
