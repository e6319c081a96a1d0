// Who is where, agreement on failures, and the choice of a device among ranks.
#include "comm/device_choice.h"
#include "support/fake_backend.h"
#include "support/test_world.h"

#include <lockstep/base/process.h>
#include <lockstep/comm/world.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

namespace lockstep::comm {
namespace {

using test::FakeBackend;
using test::world;
using testing::HasSubstr;

TEST(MpiWorld, KnowsItsPlace) {
  EXPECT_EQ(world().local_size(), world().size()) << "all ranks of this test run on one host";
  EXPECT_EQ(world().local_rank(), world().rank());
  EXPECT_THAT(world().description(), testing::AnyOf(HasSubstr("MPI"), HasSubstr("MPICH")));
  EXPECT_EQ(world().control().rank(), world().rank());
}

TEST(MpiWorld, RanksOfAHostShareMemory) {
  Mesh mesh = world().open_mesh(Options{}, Device{&gpu::host_backend(), 0}, false);
  EXPECT_EQ(mesh.data().backend(), world().size() == 1 ? "solo" : "shared+mpi");
  Options options;
  options.backend = "mpi";
  Mesh messages = world().open_mesh(options, Device{&gpu::host_backend(), 0}, false);
  EXPECT_EQ(messages.data().backend(), world().size() == 1 ? "solo" : "mpi");
}

// Set by tests/support/two_hosts.sh.
TEST(MpiWorld, HasTheHostsThatTheTestStarted) {
  const auto hosts = environment("LOCKSTEP_TEST_HOSTS");
  EXPECT_EQ(world().size() / world().local_size(), hosts ? std::stoi(*hosts) : 1);
}

TEST(MpiWorld, MemoryIsAlignedAndZeroed) {
  const auto memory = world().allocate(1000);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory->data()) % 128, 0U);
  const auto* bytes = static_cast<const std::byte*>(memory->data());
  for (std::size_t i = 0; i < memory->size_bytes(); ++i) ASSERT_EQ(bytes[i], std::byte{0});
}

TEST(MpiWorld, SharedMemoryIsSeenByAllRanksOfTheHost) {
  const auto memory = world().allocate_shared(100'000);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory->data()) % 128, 0U);
  auto* const bytes = static_cast<std::uint8_t*>(memory->data());
  for (std::size_t i = 0; i < memory->size_bytes(); ++i) ASSERT_EQ(bytes[i], 0);
  barrier(world().control());
  bytes[1000 * static_cast<std::size_t>(world().rank())] = 7;
  barrier(world().control());
  for (int rank = 0; rank < world().size(); ++rank) {
    EXPECT_EQ(bytes[1000 * static_cast<std::size_t>(rank)], 7) << rank;
  }
}

TEST(MpiWorld, SharedMemoryBeyondTheHostIsRefusedOnAllRanks) {
  EXPECT_THROW(world().allocate_shared(std::size_t{1} << 50), AgreedError);
}

TEST(Agree, NobodyFails) {
  int runs = 0;
  agree(world(), [&] { ++runs; });
  EXPECT_EQ(runs, 1);
}

TEST(Agree, EveryRankLearnsWhichOneFailed) {
  for (int failing = 0; failing < world().size(); ++failing) {
    const std::string cause = "broken on " + std::to_string(failing);
    try {
      agree(world(), [&] {
        if (world().rank() == failing) throw data_error(cause);
      });
      FAIL() << "no failure on rank " << world().rank();
    } catch (const AgreedError& error) {
      EXPECT_EQ(error.rank(), failing);
      EXPECT_EQ(error.code(), ExitCode::kBadData);
      EXPECT_EQ(error.what(), cause);
    }
  }
}

TEST(Agree, TheLowestFailingRankSpeaks) {
  try {
    agree(world(), [&] { throw io_error("rank " + std::to_string(world().rank())); });
    FAIL();
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.rank(), 0);
    EXPECT_STREQ(error.what(), "rank 0");
  }
}

// One verdict passes through an outer agreement unchanged and leaves the control plane in step.
TEST(Agree, Nests) {
  const int failing = world().size() - 1;
  try {
    agree(world(), [&] {
      agree(world(), [&] {
        if (world().rank() == failing) throw config_error("inner");
      });
    });
    FAIL();
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.rank(), failing);
  }
  barrier(world().control());
}

std::string difference_of(const std::vector<Fact>& facts) {
  try {
    agree_on(world(), facts);
    return "";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::kConfig);
    EXPECT_EQ(error.rank(), 1);
    return error.what();
  }
}

TEST(AgreeOn, EqualFactsPass) { EXPECT_EQ(difference_of({{"optim.lr", "1"}, {"empty", ""}}), ""); }

TEST(AgreeOn, NamesTheKeyBothValuesAndTheRanks) {
  if (world().size() == 1) GTEST_SKIP() << "needs two ranks";
  const bool odd = world().rank() == 1;
  const std::string others = world().size() == 2 ? "0.001 on rank 0" : "0.001 on ranks 0, 2, 3";
  EXPECT_EQ(difference_of({{"same", "x"}, {"optim.lr", odd ? "0.002" : "0.001"}}),
            "optim.lr is " + others +
                " and 0.002 on rank 1: start all ranks with the same program, settings and data");
}

TEST(AgreeOn, AFactThatOneRankLacksIsMissing) {
  if (world().size() == 1) GTEST_SKIP() << "needs two ranks";
  std::vector<Fact> facts{{"a", "1"}};
  if (world().rank() == 1) facts.push_back({"--json", "true"});
  EXPECT_THAT(difference_of(facts), HasSubstr("--json is missing on rank"));
}

DeviceProbe probe_of(FakeBackend& backend) {
  return {[&](std::string* reason) {
            if (backend.device_count() == 0) *reason = "no device in the fake";
            return backend.device_count() > 0;
          },
          [&]() -> gpu::Backend& { return backend; }};
}

std::string error_of(const std::string& kind, bool sharing, FakeBackend& backend) {
  try {
    choose_device(world(), kind, sharing, probe_of(backend));
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(ChooseDevice, LocalRankPicksAmongSeveral) {
  FakeBackend backend(8, "GPU-");
  const Device device = choose_device(world(), "auto", false, probe_of(backend));
  EXPECT_TRUE(device.is_cuda());
  EXPECT_EQ(device.index, world().local_rank());
  EXPECT_EQ(backend.current(), world().local_rank());
}

TEST(ChooseDevice, OneVisibleDeviceIsTheRanksOwn) {
  FakeBackend backend(1, "GPU-of-rank-" + std::to_string(world().rank()) + "-");
  EXPECT_EQ(choose_device(world(), "cuda", false, probe_of(backend)).index, 0);
}

TEST(ChooseDevice, RefusesRanksThatShare) {
  FakeBackend backend(1, "GPU-same-");
  const std::string error = error_of("cuda", false, backend);
  if (world().size() == 1) {
    EXPECT_EQ(error, "");
  } else {
    EXPECT_THAT(error, HasSubstr("ranks 0 and 1 share GPU-same-0"));
    EXPECT_THAT(error, HasSubstr("allow_gpu_sharing"));
  }
  EXPECT_EQ(error_of("cuda", true, backend), "");
}

TEST(ChooseDevice, NamesBothCountsWhenRanksOutnumberDevices) {
  if (world().size() < 4) GTEST_SKIP() << "needs four ranks";
  FakeBackend backend(2, "GPU-");
  EXPECT_THAT(error_of("cuda", false, backend), HasSubstr("4 ranks on"));
  EXPECT_THAT(error_of("cuda", false, backend), HasSubstr("2 GPUs"));
  const Device device = choose_device(world(), "cuda", true, probe_of(backend));
  EXPECT_EQ(device.index, world().local_rank() % 2);
}

TEST(ChooseDevice, AutoIsTheHostWhereNoRankSeesADevice) {
  FakeBackend backend(0, "GPU-");
  EXPECT_FALSE(choose_device(world(), "auto", false, probe_of(backend)).is_cuda());
  EXPECT_THAT(error_of("cuda", false, backend), HasSubstr("no device in the fake"));
}

TEST(ChooseDevice, RefusesWhenOnlySomeRanksSeeADevice) {
  if (world().size() == 1) GTEST_SKIP() << "needs two ranks";
  FakeBackend backend(world().rank() == 0 ? 0 : 8, "GPU-");
  EXPECT_THAT(error_of("auto", false, backend), HasSubstr("ranks see a GPU"));
}

TEST(ChooseDevice, RefusesAnUnknownKind) {
  FakeBackend backend(0, "GPU-");
  EXPECT_THAT(error_of("tpu", false, backend), HasSubstr("run.device"));
}

// Two ranks on one device: gradients go through host memory over MPI.
TEST(OpenMesh, SharedDeviceReducesThroughTheHost) {
  if (world().size() == 1) GTEST_SKIP() << "needs two ranks";
  FakeBackend backend(1, "GPU-same-");
  Mesh mesh = world().open_mesh(Options{}, Device{&backend, 0}, true);
  EXPECT_EQ(mesh.data().backend(), "staged-shared+mpi");
  std::vector<float> values(3000, static_cast<float>(world().rank() + 1));
  mesh.data()
      .all_reduce_async(values.data(), values.size(), DType::kF32, ReduceOp::kSum, {})
      ->wait({});
  const int ranks = world().size();
  EXPECT_EQ(values.back(), static_cast<float>(ranks * (ranks + 1) / 2));
  EXPECT_EQ(mesh.tensor().size(), 1);
  EXPECT_THROW(world().open_mesh(Options{}, Device{&backend, 0}, false), Error);
}

}  // namespace
}  // namespace lockstep::comm
