// What a parser may do with bytes from outside: take them, or throw one Error that says the data
// are bad. Everything else ends the program, which libFuzzer reports.
#pragma once

#include <lockstep/base/error.h>

#include <cstdio>
#include <cstdlib>

namespace lockstep {

// With LOCKSTEP_FUZZ_TAKEN set a refusal ends the program too: so run.py proves that its valid
// inputs get through.
template <class Parse>
int expect_taken_or_refused(const Parse& parse) {
  try {
    parse();
  } catch (const Error& error) {
    const bool must_take = std::getenv("LOCKSTEP_FUZZ_TAKEN") != nullptr;
    if (must_take) std::fprintf(stderr, "%s\n", error.what());
    if (must_take || error.code() != ExitCode::kBadData) std::abort();
  }
  return 0;
}

}  // namespace lockstep
