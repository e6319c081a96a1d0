// Copies out and back around a host group; real ranks: tests/mpi/world_test.cpp.
#include "comm/staged_group.h"

#include "comm/solo_group.h"

#include <gtest/gtest.h>

#include <array>

namespace lockstep::comm {
namespace {

// A host group that shows where it was called: doubles what it reduces.
class DoublingGroup final : public Group {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::string backend() const override { return "doubling"; }
  std::unique_ptr<Work> all_reduce_async(
      void* buffer, std::size_t count, DType type, ReduceOp op, gpu::StreamHandle ready) override {
    for (std::size_t i = 0; i < count; ++i) static_cast<float*>(buffer)[i] *= 2;
    return solo_.all_reduce_async(buffer, count, type, op, ready);
  }
  std::unique_ptr<Work> broadcast_async(
      void* buffer, std::size_t count, DType type, int root, gpu::StreamHandle ready) override {
    return solo_.broadcast_async(buffer, count, type, root, ready);
  }
  std::unique_ptr<Work> all_gather_async(
      const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle ready) override {
    return solo_.all_gather_async(in, out, count, type, ready);
  }
  std::unique_ptr<Work> reduce_scatter_async(const void* in,
                                             void* out,
                                             std::size_t count,
                                             DType type,
                                             ReduceOp op,
                                             gpu::StreamHandle ready) override {
    return solo_.reduce_scatter_async(in, out, count, type, op, ready);
  }
  std::unique_ptr<Work> all_to_all_async(
      const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle ready) override {
    return solo_.all_to_all_async(in, out, count, type, ready);
  }
  std::unique_ptr<Work> send_async(
      const void* buffer, std::size_t count, DType type, int to, gpu::StreamHandle ready) override {
    return solo_.send_async(buffer, count, type, to, ready);
  }
  std::unique_ptr<Work> receive_async(
      void* buffer, std::size_t count, DType type, int from, gpu::StreamHandle ready) override {
    return solo_.receive_async(buffer, count, type, from, ready);
  }

 private:
  SoloGroup solo_{gpu::host_backend()};
};

TEST(StagedGroup, BringsTheHostsResultBack) {
  StagedGroup group(gpu::host_backend(), std::make_unique<DoublingGroup>());
  EXPECT_EQ(group.backend(), "staged-doubling");
  std::array<float, 4> device{1, 2, 3, 4};
  const auto work = group.all_reduce_async(device.data(), 4, DType::kF32, ReduceOp::kSum, {});
  EXPECT_EQ(device[0], 1.0F) << "the device's memory changes at wait, not before";
  work->wait({});
  EXPECT_EQ(device, (std::array<float, 4>{2, 4, 6, 8}));
  work->wait({});
  EXPECT_EQ(device[0], 2.0F) << "a second wait changes nothing";
}

TEST(StagedGroup, OutOfPlaceCollectives) {
  StagedGroup group(gpu::host_backend(), std::make_unique<DoublingGroup>());
  const std::array<std::int32_t, 3> in{5, 6, 7};
  std::array<std::int32_t, 3> out{};
  group.all_gather_async(in.data(), out.data(), 3, DType::kI32, {})->wait({});
  EXPECT_EQ(out, in);
  out.fill(0);
  group.reduce_scatter_async(in.data(), out.data(), 3, DType::kI32, ReduceOp::kSum, {})->wait({});
  EXPECT_EQ(out, in);
  out.fill(0);
  group.all_to_all_async(in.data(), out.data(), 3, DType::kI32, {})->wait({});
  EXPECT_EQ(out, in);
  group.broadcast_async(out.data(), 3, DType::kI32, 0, {})->wait({});
  EXPECT_EQ(out, in);
}

}  // namespace
}  // namespace lockstep::comm
