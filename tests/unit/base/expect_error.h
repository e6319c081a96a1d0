// Runs something that must throw an Error and hands the Error back.
#pragma once

#include <lockstep/base/error.h>

#include <gtest/gtest.h>

namespace lockstep::test {

template <class Function>
Error thrown_by(const Function& function) {
  try {
    function();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ExitCode::kDone, ""};
}

}  // namespace lockstep::test
