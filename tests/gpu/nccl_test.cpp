// A world of one rank on NCCL: every collective goes through the library and the streams.
#include "device_test.h"
#include "support/test_world.h"

namespace lockstep::comm {
namespace {

class NcclTest : public test::DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (IsSkipped()) return;
    Options options;
    options.backend = "nccl";
    options.timeout_s = 60;
    mesh_ = std::make_unique<Mesh>(test::world().open_mesh(options, device(), false));
  }
  Group& group() { return mesh_->data(); }
  void finish(Work& work) {
    work.wait(stream());
    backend().synchronize(stream());
    EXPECT_TRUE(work.done());
  }

  std::unique_ptr<Mesh> mesh_;
};

TEST_F(NcclTest, IsWhatWasAskedFor) {
  EXPECT_EQ(group().backend(), "nccl");
  EXPECT_EQ(group().size(), test::world().size());
}

TEST_F(NcclTest, ReductionsOfOneRankKeepTheirValues) {
  const std::vector<float> in(100000, 1.5F);
  const auto buffer = make(in);
  const auto work =
      group().all_reduce_async(buffer->data(), in.size(), DType::kF32, ReduceOp::kSum, stream());
  finish(*work);
  EXPECT_EQ(values<float>(*buffer), in);
  EXPECT_GE(work->busy_s(), 0);
  for (const DType type :
       {DType::kU8, DType::kI32, DType::kI64, DType::kF16, DType::kBF16, DType::kF64}) {
    finish(*group().all_reduce_async(buffer->data(), 1000, type, ReduceOp::kMax, stream()));
  }
  EXPECT_EQ(values<float>(*buffer), in);
}

TEST_F(NcclTest, OutOfPlaceCollectivesOfOneRankCopy) {
  const std::vector<std::int32_t> in{1, 2, 3, 4};
  const auto source = make(in);
  const auto target = make(std::vector<std::int32_t>(4));
  finish(*group().all_gather_async(source->data(), target->data(), 4, DType::kI32, stream()));
  EXPECT_EQ(values<std::int32_t>(*target), in);
  std::fill_n(target->data(), target->size_bytes(), std::byte{0});
  finish(*group().reduce_scatter_async(
      source->data(), target->data(), 4, DType::kI32, ReduceOp::kSum, stream()));
  EXPECT_EQ(values<std::int32_t>(*target), in);
  std::fill_n(target->data(), target->size_bytes(), std::byte{0});
  finish(*group().all_to_all_async(source->data(), target->data(), 4, DType::kI32, stream()));
  EXPECT_EQ(values<std::int32_t>(*target), in);
  finish(*group().broadcast_async(target->data(), 4, DType::kI32, 0, stream()));
  EXPECT_EQ(values<std::int32_t>(*target), in);
}

TEST_F(NcclTest, ScatterAndGatherInPlaceOfOneRankKeepTheirValues) {
  const std::vector<float> in(1000, 2.5F);
  const auto buffer = make(in);
  void* const place = buffer->data();
  finish(*group().reduce_scatter_async(
      place, place, in.size(), DType::kF32, ReduceOp::kSum, stream()));
  finish(*group().all_gather_async(place, place, in.size(), DType::kF32, stream()));
  EXPECT_EQ(values<float>(*buffer), in);
}

// The collective follows the producer's stream, and the consumer's follows the collective.
TEST_F(NcclTest, IsChainedBetweenTheStreams) {
  const std::vector<float> in(4 << 20, 2.0F);
  const auto source = make(in);
  const auto buffer = make(std::vector<float>(in.size()));
  const auto target = make(std::vector<float>(in.size()));
  backend().copy_to_device_async(buffer->data(), source->data(), source->size_bytes(), stream());
  const auto work =
      group().all_reduce_async(buffer->data(), in.size(), DType::kF32, ReduceOp::kSum, stream());
  const auto consumer = backend().make_stream(false);
  work->wait(consumer->handle());
  backend().copy_to_host_async(
      target->data(), buffer->data(), source->size_bytes(), consumer->handle());
  backend().synchronize(consumer->handle());
  EXPECT_EQ(values<float>(*target), in);
}

TEST_F(NcclTest, OpensAndClosesAgain) {
  mesh_.reset();
  Options options;
  options.backend = "nccl";
  const Mesh again = test::world().open_mesh(options, device(), false);
  SUCCEED();
}

}  // namespace
}  // namespace lockstep::comm
