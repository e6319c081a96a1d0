#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <cstring>
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

Error usage_error(const std::string& cause) { return {ExitCode::kUsage, cause}; }
Error config_error(const std::string& cause) { return {ExitCode::kConfig, cause}; }
Error data_error(const std::string& cause) { return {ExitCode::kBadData, cause}; }
Error io_error(const std::string& cause) { return {ExitCode::kIo, cause}; }
Error io_error(const std::string& cause, int errno_value) {
  return {ExitCode::kIo, cause + ": " + std::strerror(errno_value)};
}
Error unavailable_error(const std::string& cause) { return {ExitCode::kUnavailable, cause}; }
Error internal_error(const std::string& cause, std::source_location place) {
  return {ExitCode::kInternal, cause, place};
}

Error current_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return {ExitCode::kOutOfMemory, "out of memory: lower train.batch_per_rank or data.cache_mib"};
  } catch (const std::exception& error) {
    return {ExitCode::kInternal, error.what()};
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
