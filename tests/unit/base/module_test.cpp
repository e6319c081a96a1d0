// A part that is not there must say which, why and what to do.
#include "expect_error.h"

#include <lockstep/base/module.h>

#include <dlfcn.h>
#include <gmock/gmock.h>

namespace lockstep {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(OpenModule, MissingPartIsNamedWithFileReasonAndAdvice) {
  const Error error = test::thrown_by([] { open_module("nothing"); });
  EXPECT_EQ(error.code(), ExitCode::kUnavailable);
  EXPECT_THAT(error.what(),
              AllOf(HasSubstr("cannot open the nothing part of lockstep: "),
                    HasSubstr("/liblockstep_nothing.so: cannot open shared object file"),
                    HasSubstr("launch/setup")));
  EXPECT_EQ(test::thrown_by([] { open_module("nothing"); }).code(), ExitCode::kUnavailable);
}

// liblockstep_base.so lies in the folder that is searched, and is open already.
TEST(OpenModule, OpensFromLockstepsOwnFolderOnce) {
  void* handle = open_module("base");
  ASSERT_NE(handle, nullptr);
  EXPECT_EQ(open_module("base"), handle);
}

TEST(ModuleSymbol, IsFoundOrNamed) {
  void* handle = open_module("base");
  EXPECT_NE(module_symbol(handle,
                          "_ZN8lockstep11open_moduleERKNSt7__cxx1112basic_stringIcSt11char_"
                          "traitsIcESaIcEEE"),
            nullptr);
  const Error error = test::thrown_by([&] { module_symbol(handle, "lockstep_no_such_symbol"); });
  EXPECT_EQ(error.code(), ExitCode::kInternal);
  EXPECT_STREQ(error.what(), "symbol lockstep_no_such_symbol is missing");
}

}  // namespace
}  // namespace lockstep
