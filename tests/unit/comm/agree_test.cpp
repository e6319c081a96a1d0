// One rank; more ranks: tests/mpi/world_test.cpp.
#include <lockstep/comm/world.h>

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

namespace lockstep::comm {
namespace {

ExitCode agreed_code(const std::function<void()>& phase) {
  const auto world = open_solo_world();
  try {
    agree(*world, phase);
    return ExitCode::kDone;
  } catch (const AgreedError& error) {
    return error.code();
  }
}

TEST(Agree, KeepsTheCodeAndTheWords) {
  const auto world = open_solo_world();
  try {
    agree(*world, [] { throw data_error("train.h5 is empty"); });
    FAIL();
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    EXPECT_STREQ(error.what(), "train.h5 is empty");
    EXPECT_EQ(error.rank(), 0);
  }
}

TEST(Agree, TranslatesOtherExceptions) {
  EXPECT_EQ(agreed_code([] { throw std::bad_alloc(); }), ExitCode::kOutOfMemory);
  EXPECT_EQ(agreed_code([] { throw std::logic_error("bug"); }), ExitCode::kInternal);
  EXPECT_EQ(agreed_code([] {}), ExitCode::kDone);
}

// After a lost peer there is nobody to agree with: the error passes as it is.
TEST(Agree, DoesNotAgreeOnALostPeer) {
  const auto world = open_solo_world();
  const auto phase = [] { throw Error(ExitCode::kPeerLost, "gone"); };
  try {
    agree(*world, phase);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(dynamic_cast<const AgreedError*>(&error), nullptr);
    EXPECT_EQ(error.code(), ExitCode::kPeerLost);
  }
}

}  // namespace
}  // namespace lockstep::comm
