// What a test expects of an Error: its code and a part of its text.
#pragma once

#include <lockstep/base/error.h>

#include <gtest/gtest.h>

#include <string>

namespace lockstep {

template <class Call>
void expect_refusal(ExitCode code, const std::string& part, const Call& call) {
  try {
    call();
    ADD_FAILURE() << "nothing was refused; expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
        << "\"" << error.what() << "\" does not contain \"" << part << "\"";
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

}  // namespace lockstep
