// The one exception type of lockstep and the check for programmer errors. Only `main` catches.
#pragma once

#include <lockstep/base/exit_code.h>

#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lockstep {

// A failure that the user is told about: what is wrong, where (file, key, rank) and what to do, in
// one line. The code is the exit code of the program.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code,
        const std::string& cause,
        std::source_location place = std::source_location::current())
      : std::runtime_error(cause), code_(code), place_(place) {}

  ExitCode code() const { return code_; }
  const std::source_location& place() const { return place_; }

 private:
  ExitCode code_;
  std::source_location place_;
};

// Shorthands, so that a throw says what kind of failure it is.
using Place = std::source_location;
Error usage_error(const std::string& cause, Place place = Place::current());
Error config_error(const std::string& cause, Place place = Place::current());
Error data_error(const std::string& cause, Place place = Place::current());
Error io_error(const std::string& cause, Place place = Place::current());
// An io_error whose cause ends with the text of `errno_value`.
Error io_error(const std::string& cause, int errno_value, Place place = Place::current());
Error unavailable_error(const std::string& cause, Place place = Place::current());
Error internal_error(const std::string& cause, Place place = Place::current());

// Turns any exception into an Error. An Error stays what it is; an allocation that failed, also one
// inside LibTorch (known by its words), becomes 71, a file system error 74 and anything else 70.
// The cause is one line: what follows the first line (LibTorch adds a backtrace) is dropped.
// Requires: called inside a catch block.
Error current_error();

[[noreturn]] void check_failed(std::string_view condition,
                               std::string_view message,
                               std::source_location place);

}  // namespace lockstep

// Programmer errors: always compiled in, ends in exit code 70 with the source place.
#define LOCKSTEP_CHECK(condition, message)                                              \
  do {                                                                                  \
    if (!(condition)) [[unlikely]]                                                      \
      ::lockstep::check_failed(#condition, (message), std::source_location::current()); \
  } while (false)
