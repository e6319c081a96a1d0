// Device memory reduced through host memory: what ranks that share a GPU use.
#include "comm/solo_group.h"
#include "comm/staged_group.h"
#include "device_test.h"

namespace lockstep::comm {
namespace {

using StagedTest = test::DeviceTest;

TEST_F(StagedTest, FollowsTheProducerAndIsFollowedByTheConsumer) {
  StagedGroup group(backend(), std::make_unique<SoloGroup>(gpu::host_backend()));
  const std::vector<float> in(1 << 20, 5.0F);
  const auto source = make(in);
  const auto buffer = make(std::vector<float>(in.size()));
  const auto target = make(std::vector<float>(in.size()));
  backend().copy_to_device_async(buffer->data(), source->data(), source->size_bytes(), stream());
  const auto work =
      group.all_reduce_async(buffer->data(), in.size(), DType::kF32, ReduceOp::kSum, stream());
  const auto consumer = backend().make_stream(false);
  work->wait(consumer->handle());
  backend().copy_to_host_async(
      target->data(), buffer->data(), source->size_bytes(), consumer->handle());
  backend().synchronize(consumer->handle());
  EXPECT_EQ(values<float>(*target), in);
  EXPECT_TRUE(work->done());
}

}  // namespace
}  // namespace lockstep::comm
