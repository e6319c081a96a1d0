#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <cstring>
#include <filesystem>
#include <new>

namespace lockstep {

std::string_view exit_code_name(ExitCode code) {
  switch (code) {
    case ExitCode::kDone:
      return "done";
    case ExitCode::kUsage:
      return "usage";
    case ExitCode::kBadData:
      return "bad data";
    case ExitCode::kUnavailable:
      return "unavailable";
    case ExitCode::kInternal:
      return "internal";
    case ExitCode::kOutOfMemory:
      return "out of memory";
    case ExitCode::kIo:
      return "input/output";
    case ExitCode::kRequeue:
      return "requeue";
    case ExitCode::kDiverged:
      return "diverged";
    case ExitCode::kConfig:
      return "configuration";
    case ExitCode::kGateMissed:
      return "gate missed";
    case ExitCode::kPeerLost:
      return "peer lost";
  }
  return "unknown";
}

Error usage_error(const std::string& cause, Place place) {
  return {ExitCode::kUsage, cause, place};
}
Error config_error(const std::string& cause, Place place) {
  return {ExitCode::kConfig, cause, place};
}
Error data_error(const std::string& cause, Place place) {
  return {ExitCode::kBadData, cause, place};
}
Error io_error(const std::string& cause, Place place) { return {ExitCode::kIo, cause, place}; }
Error io_error(const std::string& cause, int errno_value, Place place) {
  return {ExitCode::kIo, cause + ": " + std::strerror(errno_value), place};
}
Error unavailable_error(const std::string& cause, Place place) {
  return {ExitCode::kUnavailable, cause, place};
}
Error internal_error(const std::string& cause, Place place) {
  return {ExitCode::kInternal, cause, place};
}

namespace {

constexpr const char* kMemoryAdvice = "lower train.batch_per_rank or data.cache_mib";

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

// LibTorch's allocators throw exceptions of types that base does not know, with these words. The
// one for the CPU names its source file before them. Empty: something else.
std::string memory_failure(const std::string& text) {
  constexpr std::string_view kOnTheCpu = "can't allocate memory: ";
  if (const auto at = text.find(kOnTheCpu); at != std::string::npos) {
    return "out of memory: " + text.substr(at + kOnTheCpu.size());
  }
  return text.find("out of memory") == std::string::npos ? std::string() : text;
}

}  // namespace

Error current_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return {ExitCode::kOutOfMemory, format("out of memory: {}", kMemoryAdvice)};
  } catch (const std::filesystem::filesystem_error& error) {
    return {ExitCode::kIo, first_line(error.what())};
  } catch (const std::exception& error) {
    const std::string line = first_line(error.what());
    const std::string memory = memory_failure(line);
    if (memory.empty()) return {ExitCode::kInternal, line};
    return {ExitCode::kOutOfMemory, format("{}: {}", memory, kMemoryAdvice)};
  } catch (...) {
    return {ExitCode::kInternal, "an exception of unknown type"};
  }
}

void check_failed(std::string_view condition,
                  std::string_view message,
                  std::source_location place) {
  throw internal_error(
      format("{} ({} is false at {}:{})", message, condition, place.file_name(), place.line()),
      place);
}

}  // namespace lockstep
