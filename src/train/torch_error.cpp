#include <lockstep/train/torch_error.h>

#include <c10/util/Exception.h>

#include <string>

namespace lockstep::train {
namespace {

constexpr const char* kOutOfMemory =
    "out of memory: lower train.batch_per_rank (and raise train.accumulate to keep the step)";

}  // namespace

Error current_torch_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const c10::OutOfMemoryError&) {
    return {ExitCode::kOutOfMemory, kOutOfMemory};
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    // The CPU allocator has no exception type of its own.
    if (text.find("can't allocate memory") != std::string::npos) {
      return {ExitCode::kOutOfMemory, kOutOfMemory};
    }
    return {ExitCode::kInternal, text.substr(0, text.find('\n'))};
  } catch (...) {
    return current_error();
  }
}

}  // namespace lockstep::train
