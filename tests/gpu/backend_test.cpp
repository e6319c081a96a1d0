#include "device_test.h"

#include <lockstep/base/error.h>

#include <gmock/gmock.h>

namespace lockstep::gpu {
namespace {

using BackendTest = test::DeviceTest;

TEST_F(BackendTest, DescribesItsDevices) {
  ASSERT_GE(backend().device_count(), 1);
  const DeviceInfo info = backend().info(0);
  EXPECT_FALSE(info.name.empty());
  EXPECT_EQ(info.uuid.size(), 40U) << info.uuid;
  EXPECT_EQ(info.uuid.rfind("GPU-", 0), 0U);
  EXPECT_GT(info.memory_total_bytes, std::int64_t{1} << 30);
  EXPECT_EQ(info.has_bf16, info.capability_major >= 8);
}

TEST_F(BackendTest, CopiesInStreamOrderAndMeasures) {
  const std::vector<float> from(1 << 20, 3.0F);
  const auto source = make(from);
  const auto middle = backend().make_pinned(source->size_bytes());
  const auto target = backend().make_pinned(source->size_bytes());
  const auto begin = backend().make_event(true);
  const auto end = backend().make_event(true);
  begin->record(stream());
  backend().copy_to_device_async(middle->data(), source->data(), source->size_bytes(), stream());
  backend().copy_to_host_async(target->data(), middle->data(), source->size_bytes(), stream());
  end->record(stream());
  end->synchronize();
  EXPECT_TRUE(end->done());
  EXPECT_GT(end->elapsed_ms(*begin), 0);
  EXPECT_EQ(values<float>(*target), from);
}

TEST_F(BackendTest, AStreamWaitsForAnEventOfAnother) {
  const auto other = backend().make_stream(true);
  const auto source = make(std::vector<int>(1 << 20, 7));
  const auto middle = backend().make_pinned(source->size_bytes());
  const auto target = backend().make_pinned(source->size_bytes());
  const auto copied = backend().make_event(false);
  backend().copy_to_device_async(middle->data(), source->data(), source->size_bytes(), stream());
  copied->record(stream());
  copied->make_wait(other->handle());
  backend().copy_to_host_async(
      target->data(), middle->data(), source->size_bytes(), other->handle());
  backend().synchronize(other->handle());
  EXPECT_EQ(values<int>(*target), std::vector<int>(1 << 20, 7));
}

TEST_F(BackendTest, RefusesADeviceThatIsNotThere) {
  EXPECT_THROW(backend().set_device(backend().device_count()), Error);
  backend().set_device(0);
}

TEST_F(BackendTest, SamplesUtilisationWhereNvmlIsThere) {
  const auto sample = backend().sample(0);
  if (!sample) GTEST_SKIP() << "NVML cannot be had here";
  EXPECT_GE(sample->utilisation, 0);
  EXPECT_LE(sample->utilisation, 1);
  EXPECT_GT(sample->memory_used_bytes, 0);
}

TEST_F(BackendTest, TorchsStreamCanBeWaitedFor) {
  const auto event = backend().make_event(false);
  event->record(backend().compute_stream());
  event->synchronize();
  EXPECT_TRUE(event->done());
}

}  // namespace
}  // namespace lockstep::gpu
