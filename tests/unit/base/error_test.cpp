// Exit codes are the contract with scripts; every failure must keep its code and be one line.
#include "expect_error.h"

#include <lockstep/base/error.h>

#include <gmock/gmock.h>

#include <cerrno>
#include <filesystem>
#include <new>
#include <set>
#include <string>
#include <utility>

namespace lockstep {
namespace {

using test::thrown_by;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

template <class Exception>
Error converted(const Exception& exception) {
  try {
    throw exception;
  } catch (...) {
    return current_error();
  }
}

TEST(ExitCodes, AreTheNumbersOfTheContract) {
  EXPECT_EQ(static_cast<int>(ExitCode::kDone), 0);
  EXPECT_EQ(static_cast<int>(ExitCode::kUsage), 64);
  EXPECT_EQ(static_cast<int>(ExitCode::kBadData), 65);
  EXPECT_EQ(static_cast<int>(ExitCode::kUnavailable), 69);
  EXPECT_EQ(static_cast<int>(ExitCode::kInternal), 70);
  EXPECT_EQ(static_cast<int>(ExitCode::kOutOfMemory), 71);
  EXPECT_EQ(static_cast<int>(ExitCode::kIo), 74);
  EXPECT_EQ(static_cast<int>(ExitCode::kRequeue), 75);
  EXPECT_EQ(static_cast<int>(ExitCode::kDiverged), 76);
  EXPECT_EQ(static_cast<int>(ExitCode::kConfig), 78);
  EXPECT_EQ(static_cast<int>(ExitCode::kGateMissed), 79);
  EXPECT_EQ(static_cast<int>(ExitCode::kPeerLost), 80);
}

TEST(ExitCodes, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const ExitCode code : {ExitCode::kDone,
                              ExitCode::kUsage,
                              ExitCode::kBadData,
                              ExitCode::kUnavailable,
                              ExitCode::kInternal,
                              ExitCode::kOutOfMemory,
                              ExitCode::kIo,
                              ExitCode::kRequeue,
                              ExitCode::kDiverged,
                              ExitCode::kConfig,
                              ExitCode::kGateMissed,
                              ExitCode::kPeerLost}) {
    EXPECT_TRUE(names.insert(exit_code_name(code)).second) << exit_code_name(code);
    EXPECT_NE(exit_code_name(code), "unknown");
  }
  EXPECT_EQ(exit_code_name(ExitCode::kBadData), "bad data");
  EXPECT_EQ(exit_code_name(static_cast<ExitCode>(1)), "unknown");
}

TEST(Shorthands, CarryCodeCauseAndTheCallersPlace) {
  EXPECT_EQ(usage_error("a").code(), ExitCode::kUsage);
  EXPECT_EQ(config_error("a").code(), ExitCode::kConfig);
  EXPECT_EQ(data_error("a").code(), ExitCode::kBadData);
  EXPECT_EQ(io_error("a").code(), ExitCode::kIo);
  EXPECT_EQ(unavailable_error("a").code(), ExitCode::kUnavailable);
  EXPECT_EQ(internal_error("a").code(), ExitCode::kInternal);
  EXPECT_STREQ(data_error("label 12 is outside 10 classes").what(),
               "label 12 is outside 10 classes");
  EXPECT_THAT(data_error("a").place().file_name(), EndsWith("error_test.cpp"));
  EXPECT_THAT(io_error("a", ENOENT).place().file_name(), EndsWith("error_test.cpp"));
}

TEST(Shorthands, IoErrorEndsWithTheSystemsReason) {
  const Error error = io_error("cannot open x.h5", ENOENT);
  EXPECT_EQ(error.code(), ExitCode::kIo);
  EXPECT_STREQ(error.what(), "cannot open x.h5: No such file or directory");
}

TEST(CurrentError, KeepsAnError) {
  const Error error = converted(data_error("sample 7 is damaged"));
  EXPECT_EQ(error.code(), ExitCode::kBadData);
  EXPECT_STREQ(error.what(), "sample 7 is damaged");
  EXPECT_THAT(error.place().file_name(), EndsWith("error_test.cpp"));
}

TEST(CurrentError, FailedAllocationIsOutOfMemoryWithAdvice) {
  const Error error = converted(std::bad_alloc());
  EXPECT_EQ(error.code(), ExitCode::kOutOfMemory);
  EXPECT_THAT(error.what(), HasSubstr("train.batch_per_rank"));
}

TEST(CurrentError, AllocatorsOfLibTorchAreKnownByTheirWords) {
  const std::pair<const char*, const char*> said[] = {
      {"CUDA out of memory. Tried to allocate 2.00 GiB.",
       "CUDA out of memory. Tried to allocate 2.00 GiB.: lower train.batch_per_rank"},
      {"[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried "
       "to allocate 8 bytes.",
       "out of memory: you tried to allocate 8 bytes.: lower train.batch_per_rank"}};
  for (const auto& [theirs, ours] : said) {
    const Error error = converted(std::runtime_error(std::string(theirs) + "\nframe #0: f()"));
    EXPECT_EQ(error.code(), ExitCode::kOutOfMemory) << theirs;
    EXPECT_THAT(error.what(), StartsWith(ours));
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
  }
}

TEST(CurrentError, OtherExceptionsAreInternalAndOneLine) {
  const Error error = converted(std::runtime_error("shapes differ\nframe #0: at::matmul"));
  EXPECT_EQ(error.code(), ExitCode::kInternal);
  EXPECT_STREQ(error.what(), "shapes differ");
  EXPECT_EQ(converted(42).code(), ExitCode::kInternal);
}

TEST(CurrentError, FileSystemErrorIsInputOutput) {
  const auto code = std::make_error_code(std::errc::no_space_on_device);
  const Error error = converted(std::filesystem::filesystem_error("copy", "a.h5", code));
  EXPECT_EQ(error.code(), ExitCode::kIo);
  EXPECT_THAT(error.what(), HasSubstr("a.h5"));
}

TEST(Check, PassesSilentlyAndNamesConditionAndPlace) {
  const int rank = 3;
  EXPECT_NO_THROW(LOCKSTEP_CHECK(rank == 3, "never"));
  const Error error = thrown_by([&] { LOCKSTEP_CHECK(rank < 2, "rank outside the group"); });
  EXPECT_EQ(error.code(), ExitCode::kInternal);
  EXPECT_THAT(error.what(), HasSubstr("rank outside the group (rank < 2 is false at "));
  EXPECT_THAT(error.what(), HasSubstr("error_test.cpp:"));
}

TEST(Check, EvaluatesItsConditionOnce) {
  int calls = 0;
  LOCKSTEP_CHECK(++calls > 0, "counts");
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace lockstep
