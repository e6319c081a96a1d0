// Every collective on every type, with integer values that each type holds exactly.
#include "comm/half.h"
#include "support/test_world.h"

#include <lockstep/comm/world.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace lockstep::comm {
namespace {

using test::world;

// Small enough for u8 and exact in bf16 (8 bits of mantissa) after sums over 4 ranks.
int value_of(int rank, std::size_t index) { return (rank + 1) * static_cast<int>(index % 7); }

void store(std::byte* to, DType type, int value) {
  const auto put = [to](auto typed) { std::memcpy(to, &typed, sizeof(typed)); };
  switch (type) {
    case DType::kU8:
      return put(static_cast<std::uint8_t>(value));
    case DType::kI32:
      return put(static_cast<std::int32_t>(value));
    case DType::kI64:
      return put(static_cast<std::int64_t>(value));
    case DType::kF16:
      return put(f16_from_float(static_cast<float>(value)));
    case DType::kBF16:
      return put(bf16_from_float(static_cast<float>(value)));
    case DType::kF32:
      return put(static_cast<float>(value));
    case DType::kF64:
      return put(static_cast<double>(value));
  }
}

template <class T>
T get(const std::byte* from) {
  T typed{};
  std::memcpy(&typed, from, sizeof(typed));
  return typed;
}

double load(const std::byte* from, DType type) {
  switch (type) {
    case DType::kU8:
      return get<std::uint8_t>(from);
    case DType::kI32:
      return get<std::int32_t>(from);
    case DType::kI64:
      return static_cast<double>(get<std::int64_t>(from));
    case DType::kF16:
      return float_from_f16(get<std::uint16_t>(from));
    case DType::kBF16:
      return float_from_bf16(get<std::uint16_t>(from));
    case DType::kF32:
      return get<float>(from);
    case DType::kF64:
      return get<double>(from);
  }
  return 0;
}

// A buffer of `count` elements of any type.
class Buffer {
 public:
  Buffer(std::size_t count, DType type) : type_(type), bytes_(count * size_bytes(type)) {}
  void set(std::size_t index, int value) {
    store(bytes_.data() + index * size_bytes(type_), type_, value);
  }
  double at(std::size_t index) const {
    return load(bytes_.data() + index * size_bytes(type_), type_);
  }
  void* data() { return bytes_.data(); }
  void fill(int rank) {
    for (std::size_t i = 0; i < bytes_.size() / size_bytes(type_); ++i) set(i, value_of(rank, i));
  }

 private:
  DType type_;
  std::vector<std::byte> bytes_;
};

std::unique_ptr<Mesh> open_data() {
  return std::make_unique<Mesh>(
      world().open_mesh(Options{}, Device{&gpu::host_backend(), 0}, false));
}

double expected(ReduceOp op, std::size_t index) {
  double result = value_of(0, index);
  for (int rank = 1; rank < world().size(); ++rank) {
    const double next = value_of(rank, index);
    if (op == ReduceOp::kSum) result += next;
    if (op == ReduceOp::kMin) result = std::min(result, next);
    if (op == ReduceOp::kMax) result = std::max(result, next);
  }
  return result;
}

class EveryType : public testing::TestWithParam<DType> {};

// Below and above the size at which the direct exchange takes over, and sizes that split unevenly.
TEST_P(EveryType, AllReduce) {
  const auto mesh = open_data();
  for (const std::size_t count : {std::size_t{1}, std::size_t{130}, std::size_t{9001}}) {
    for (const ReduceOp op : {ReduceOp::kSum, ReduceOp::kMin, ReduceOp::kMax}) {
      Buffer buffer(count, GetParam());
      buffer.fill(world().rank());
      mesh->data().all_reduce_async(buffer.data(), count, GetParam(), op, {})->wait({});
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(buffer.at(i), expected(op, i)) << i;
    }
  }
}

// In memory that the ranks of a host share, at places inside it.
TEST_P(EveryType, AllReduceInTheWorldsMemory) {
  const auto mesh = open_data();
  const std::size_t element = size_bytes(GetParam());
  const auto memory = world().allocate(20'000 * element);
  for (const std::size_t count : {std::size_t{1}, std::size_t{130}, std::size_t{9001}}) {
    for (const ReduceOp op : {ReduceOp::kSum, ReduceOp::kMin, ReduceOp::kMax}) {
      auto* const place = static_cast<std::byte*>(memory->data()) + 128 * element;
      for (std::size_t i = 0; i < count; ++i) {
        store(place + i * element, GetParam(), value_of(world().rank(), i));
      }
      mesh->data().all_reduce_async(place, count, GetParam(), op, {})->wait({});
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(load(place + i * element, GetParam()), expected(op, i)) << i;
      }
    }
  }
}

TEST_P(EveryType, ScatterAndGatherInTheWorldsMemory) {
  const auto mesh = open_data();
  const std::size_t element = size_bytes(GetParam());
  const auto ranks = static_cast<std::size_t>(world().size());
  const auto memory = world().allocate(101 * ranks * element);
  auto* const place = static_cast<std::byte*>(memory->data());
  for (std::size_t i = 0; i < 101 * ranks; ++i) {
    store(place + i * element, GetParam(), value_of(world().rank(), i));
  }
  Buffer own(101, GetParam());
  Group& data = mesh->data();
  data.reduce_scatter_async(place, own.data(), 101, GetParam(), ReduceOp::kSum, {})->wait({});
  data.all_gather_async(own.data(), place, 101, GetParam(), {})->wait({});
  for (std::size_t i = 0; i < 101 * ranks; ++i) {
    ASSERT_EQ(load(place + i * element, GetParam()), expected(ReduceOp::kSum, i)) << i;
  }
}

// In place: slice r of the buffer stays with rank r, then all slices come together in it. In memory
// that ranks share, in memory of one's own, and by messages.
TEST_P(EveryType, ScatterAndGatherInPlace) {
  const std::size_t element = size_bytes(GetParam());
  const auto ranks = static_cast<std::size_t>(world().size());
  const auto rank = static_cast<std::size_t>(world().rank());
  const auto memory = world().allocate(101 * ranks * element);
  std::vector<std::byte> private_memory(101 * ranks * element);
  for (const char* backend : {"auto", "mpi"}) {
    Options options;
    options.backend = backend;
    Mesh mesh = world().open_mesh(options, Device{&gpu::host_backend(), 0}, false);
    for (std::byte* const place :
         {static_cast<std::byte*>(memory->data()), private_memory.data()}) {
      for (std::size_t i = 0; i < 101 * ranks; ++i) {
        store(place + i * element, GetParam(), value_of(world().rank(), i));
      }
      std::byte* const own = place + rank * 101 * element;
      Group& data = mesh.data();
      data.reduce_scatter_async(place, own, 101, GetParam(), ReduceOp::kSum, {})->wait({});
      for (std::size_t i = 0; i < 101 * ranks; ++i) {
        const double wanted =
            i / 101 == rank ? expected(ReduceOp::kSum, i) : value_of(world().rank(), i);
        ASSERT_EQ(load(place + i * element, GetParam()), wanted) << backend << ' ' << i;
      }
      data.all_gather_async(own, place, 101, GetParam(), {})->wait({});
      for (std::size_t i = 0; i < 101 * ranks; ++i) {
        ASSERT_EQ(load(place + i * element, GetParam()), expected(ReduceOp::kSum, i)) << i;
      }
    }
  }
}

TEST_P(EveryType, BroadcastFromEachRank) {
  const auto mesh = open_data();
  for (int root = 0; root < mesh->data().size(); ++root) {
    Buffer buffer(1000, GetParam());
    buffer.fill(world().rank());
    mesh->data().broadcast_async(buffer.data(), 1000, GetParam(), root, {})->wait({});
    for (std::size_t i = 0; i < 1000; ++i) ASSERT_EQ(buffer.at(i), value_of(root, i));
  }
}

TEST_P(EveryType, AllGather) {
  const auto mesh = open_data();
  const auto ranks = static_cast<std::size_t>(world().size());
  Buffer in(100, GetParam());
  Buffer out(100 * ranks, GetParam());
  in.fill(world().rank());
  mesh->data().all_gather_async(in.data(), out.data(), 100, GetParam(), {})->wait({});
  for (std::size_t i = 0; i < 100 * ranks; ++i) {
    ASSERT_EQ(out.at(i), value_of(static_cast<int>(i / 100), i % 100));
  }
}

TEST_P(EveryType, ReduceScatter) {
  const auto mesh = open_data();
  const auto ranks = static_cast<std::size_t>(world().size());
  Buffer in(101 * ranks, GetParam());
  Buffer out(101, GetParam());
  in.fill(world().rank());
  mesh->data()
      .reduce_scatter_async(in.data(), out.data(), 101, GetParam(), ReduceOp::kSum, {})
      ->wait({});
  const std::size_t begin = 101 * static_cast<std::size_t>(world().rank());
  for (std::size_t i = 0; i < 101; ++i) {
    ASSERT_EQ(out.at(i), expected(ReduceOp::kSum, begin + i));
    ASSERT_EQ(in.at(i), value_of(world().rank(), i)) << "the input must stay as it was";
  }
}

TEST_P(EveryType, AllToAll) {
  const auto mesh = open_data();
  const auto ranks = static_cast<std::size_t>(world().size());
  Buffer in(10 * ranks, GetParam());
  Buffer out(10 * ranks, GetParam());
  in.fill(world().rank());
  mesh->data().all_to_all_async(in.data(), out.data(), 10, GetParam(), {})->wait({});
  const std::size_t own = 10 * static_cast<std::size_t>(world().rank());
  for (std::size_t i = 0; i < 10 * ranks; ++i) {
    ASSERT_EQ(out.at(i), value_of(static_cast<int>(i / 10), own + i % 10));
  }
}

TEST_P(EveryType, SendToTheNextRank) {
  if (world().size() == 1) GTEST_SKIP() << "needs two ranks";
  const auto mesh = open_data();
  const int size = world().size();
  const int next = (world().rank() + 1) % size;
  const int previous = (world().rank() + size - 1) % size;
  Buffer out(50, GetParam());
  Buffer in(50, GetParam());
  out.fill(world().rank());
  auto receive = mesh->data().receive_async(in.data(), 50, GetParam(), previous, {});
  auto send = mesh->data().send_async(out.data(), 50, GetParam(), next, {});
  receive->wait({});
  send->wait({});
  for (std::size_t i = 0; i < 50; ++i) ASSERT_EQ(in.at(i), value_of(previous, i));
}

INSTANTIATE_TEST_SUITE_P(
    Types,
    EveryType,
    testing::Values(
        DType::kU8, DType::kI32, DType::kI64, DType::kF16, DType::kBF16, DType::kF32, DType::kF64));

TEST(DataGroup, ManyInFlightFinishWithTheirOwnValues) {
  const auto mesh = open_data();
  std::vector<std::vector<float>> buffers;
  std::vector<std::unique_ptr<Work>> works;
  for (std::size_t k = 0; k < 40; ++k) {
    buffers.emplace_back(100 + 700 * k, static_cast<float>(k * (1 + world().rank())));
  }
  for (auto& buffer : buffers) {
    works.push_back(mesh->data().all_reduce_async(
        buffer.data(), buffer.size(), DType::kF32, ReduceOp::kSum, {}));
  }
  // In reverse: waiting for one must not need the others to be waited for.
  for (std::size_t k = works.size(); k-- > 0;) works[k]->wait({});
  const int ranks = world().size();
  for (std::size_t k = 0; k < buffers.size(); ++k) {
    const auto sum = static_cast<float>(static_cast<int>(k) * ranks * (ranks + 1) / 2);
    EXPECT_EQ(buffers[k].front(), sum);
    EXPECT_EQ(buffers[k].back(), sum);
    EXPECT_TRUE(works[k]->done());
  }
}

TEST(DataGroup, LargeMessage) {
  const auto mesh = open_data();
  std::vector<float> buffer(8 << 20);  // 32 MiB
  // Small integers: sums are exact in any order.
  for (std::size_t i = 0; i < buffer.size(); ++i) {
    buffer[i] = static_cast<float>(value_of(world().rank(), i));
  }
  auto work =
      mesh->data().all_reduce_async(buffer.data(), buffer.size(), DType::kF32, ReduceOp::kSum, {});
  work->wait({});
  for (std::size_t i = 0; i < buffer.size(); i += 4099) {
    ASSERT_EQ(buffer[i], static_cast<float>(expected(ReduceOp::kSum, i))) << i;
  }
  EXPECT_GE(work->busy_s(), world().size() > 1 ? 1e-6 : 0.0);
}

TEST(DataGroup, WorksAfterIdling) {
  const auto mesh = open_data();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  float value = 1;
  mesh->data().all_reduce_async(&value, 1, DType::kF32, ReduceOp::kSum, {})->wait({});
  EXPECT_EQ(value, static_cast<float>(world().size()));
}

TEST(DataGroup, TwoMeshesDoNotMix) {
  const auto first = open_data();
  const auto second = open_data();
  const auto memory = world().allocate(2 * 5000 * sizeof(float));
  auto* const a = static_cast<float*>(memory->data());
  float* const b = a + 5000;
  std::fill_n(a, 5000, 1.0F);
  std::fill_n(b, 5000, 10.0F);
  auto work_a = first->data().all_reduce_async(a, 5000, DType::kF32, ReduceOp::kSum, {});
  auto work_b = second->data().all_reduce_async(b, 5000, DType::kF32, ReduceOp::kSum, {});
  work_b->wait({});
  work_a->wait({});
  EXPECT_EQ(a[4999], static_cast<float>(world().size()));
  EXPECT_EQ(b[4999], static_cast<float>(10 * world().size()));
}

TEST(DataGroup, ManyExchangesOneAfterAnother) {
  const auto mesh = open_data();
  float last = 0;
  for (int i = 0; i < 300; ++i) {
    std::vector<float> buffer(2048, static_cast<float>(i));
    mesh->data()
        .all_reduce_async(buffer.data(), buffer.size(), DType::kF32, ReduceOp::kSum, {})
        ->wait({});
    last = buffer[2047];
  }
  EXPECT_EQ(last, static_cast<float>(299 * world().size()));
}

// comm.backend = mpi sends messages whatever the memory, with the same bits.
TEST(DataGroup, SharedMemoryAndMessagesGiveTheSameBits) {
  const auto shared = open_data();
  Options options;
  options.backend = "mpi";
  Mesh messages = world().open_mesh(options, Device{&gpu::host_backend(), 0}, false);
  constexpr std::size_t kCount = 70'001;
  const auto memory = world().allocate(2 * kCount * sizeof(float));
  auto* const a = static_cast<float*>(memory->data());
  float* const b = a + kCount;
  const auto rank = static_cast<std::size_t>(world().rank());
  for (std::size_t i = 0; i < kCount; ++i) {
    a[i] = b[i] = 1.0F / static_cast<float>(1 + (i * 7 + 13) % 1009 + 31 * rank);
  }
  // Large ones, and small ones that MPI would add in an order of its own.
  std::size_t begin = 0;
  for (const std::size_t count : {std::size_t{69'000}, std::size_t{900}, std::size_t{101}}) {
    shared->data().all_reduce_async(a + begin, count, DType::kF32, ReduceOp::kSum, {})->wait({});
    messages.data().all_reduce_async(b + begin, count, DType::kF32, ReduceOp::kSum, {})->wait({});
    EXPECT_EQ(std::memcmp(a + begin, b + begin, count * sizeof(float)), 0) << count;
    begin += count;
  }
}

TEST(ControlGroup, GathersTextsOfDifferentLengths) {
  const std::string own(static_cast<std::size_t>(3 * world().rank()),
                        static_cast<char>('a' + world().rank()));
  const auto texts = all_gather_text(world().control(), own);
  ASSERT_EQ(texts.size(), static_cast<std::size_t>(world().size()));
  for (int rank = 0; rank < world().size(); ++rank) {
    EXPECT_EQ(texts[static_cast<std::size_t>(rank)],
              std::string(static_cast<std::size_t>(3 * rank), static_cast<char>('a' + rank)));
  }
}

TEST(ControlGroup, BroadcastsTextFromTheLastRank) {
  const int last = world().size() - 1;
  const std::string text = world().rank() == last ? "from the last rank" : "something else";
  EXPECT_EQ(broadcast_text(world().control(), text, last), "from the last rank");
  EXPECT_EQ(broadcast_text(world().control(), "", last), "");
}

TEST(ControlGroup, ReducesAndMeets) {
  double values[2] = {1.0 + world().rank(), -1.0};
  all_reduce(world().control(), std::span(values), ReduceOp::kMax);
  EXPECT_EQ(values[0], world().size());
  EXPECT_EQ(values[1], -1.0);
  barrier(world().control());
}

}  // namespace
}  // namespace lockstep::comm
