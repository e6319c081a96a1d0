#include "fake_backend.h"

#include <lockstep/base/clock.h>
#include <lockstep/telemetry/utilisation.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

namespace lockstep::telemetry {
namespace {

// Until `done()` or ten seconds have passed.
template <class Condition>
bool wait_for(Condition done) {
  const Stopwatch watch;
  while (!done() && watch.elapsed_s() < 10)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  return done();
}

void burn_cpu_s(double cpu_s) {
  const double start = process_cpu_s();
  while (process_cpu_s() - start < cpu_s) {
  }
}

TEST(ProcessCpu, RisesWithWork) {
  const double before = process_cpu_s();
  ASSERT_TRUE(std::isfinite(before));
  burn_cpu_s(0.03);
  EXPECT_GE(process_cpu_s(), before + 0.03);
}

TEST(UtilisationSampler, AveragesTheDevice) {
  FakeBackend backend;
  backend.next_sample = gpu::DeviceSample{0.75, 1 << 20, 300, 61};
  UtilisationSampler sampler(backend, 0, 1, 0.005);
  ASSERT_TRUE(wait_for([&] { return sampler.mean().num_samples >= 3; }));
  const Utilisation mean = sampler.mean();
  EXPECT_DOUBLE_EQ(mean.device, 0.75);
  EXPECT_DOUBLE_EQ(mean.power_w, 300);
  EXPECT_DOUBLE_EQ(mean.temperature_max_c, 61);
  EXPECT_EQ(mean.memory_used_max_bytes, 1 << 20);
}

TEST(UtilisationSampler, ADeviceThatCannotBeSampledIsUnknownNotIdle) {
  FakeBackend backend;
  UtilisationSampler sampler(backend, 0, 1, 0.005);
  ASSERT_TRUE(wait_for([&] { return sampler.mean().num_samples >= 1; }));
  EXPECT_TRUE(std::isnan(sampler.mean().device));
  EXPECT_TRUE(std::isnan(sampler.mean().power_w));
}

TEST(UtilisationSampler, OnTheHostItIsTheShareOfTheCores) {
  FakeBackend backend;
  backend.cuda = false;
  UtilisationSampler sampler(backend, 0, 1, 0.05);
  burn_cpu_s(0.15);
  ASSERT_TRUE(wait_for([&] { return sampler.mean().num_samples >= 1; }));
  const Utilisation mean = sampler.mean();
  EXPECT_GT(mean.cpu_cores, 0);
  EXPECT_GT(mean.device, 0);
  EXPECT_LE(mean.device, 1);
  EXPECT_EQ(backend.num_samples, 0);
}

TEST(UtilisationSampler, RanksOfOneHostShareItsCores) {
  FakeBackend backend;
  backend.cuda = false;
  // So many ranks that a single core is this one's part, of which a third is used.
  UtilisationSampler sampler(backend, 0, 1 << 20, 0.3);
  burn_cpu_s(0.1);
  ASSERT_TRUE(wait_for([&] { return sampler.mean().num_samples >= 1; }));
  const Utilisation mean = sampler.mean();
  EXPECT_GT(mean.cpu_cores, 0);
  EXPECT_NEAR(mean.device, mean.cpu_cores, 1e-9);
}

TEST(UtilisationSampler, AFailureEndsTheSamplingAndNothingElse) {
  FakeBackend backend;
  backend.samples_fail = true;
  testing::internal::CaptureStderr();
  {
    UtilisationSampler sampler(backend, 0, 1, 0.005);
    ASSERT_TRUE(wait_for([&] { return backend.num_samples >= 1; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  }
  EXPECT_EQ(backend.num_samples, 1);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("fell off the bus"));
}

TEST(UtilisationSampler, EndsAtOnceWithoutASample) {
  FakeBackend backend;
  const Stopwatch watch;
  { UtilisationSampler sampler(backend, 0, 1, 60); }
  EXPECT_LT(watch.elapsed_s(), 5);
}

}  // namespace
}  // namespace lockstep::telemetry
