// Watches how busy the device and this process are, on a thread of its own.
#pragma once

#include <lockstep/gpu/device.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace lockstep::telemetry {

// Means over the samples since the start. NaN where nothing could be sampled.
struct Utilisation {
  // Device: share of time in which some kernel ran (NVML). Host: CPU time of this process over what
  // its part of the host's cores offers. 0 to 1.
  double device = 0;
  double cpu_cores = 0;  // cores kept busy by this process
  double power_w = 0;
  double temperature_max_c = 0;
  std::int64_t memory_used_max_bytes = 0;  // of the device; 0 on the host
  std::int64_t num_samples = 0;
};

// CPU seconds (user and system) of this process by /proc/self/stat; NaN where it cannot be read.
double process_cpu_s();

// Thread: construction, mean() and destruction from one thread. A sample that fails ends the
// sampling with one warning and never reaches the caller.
class UtilisationSampler {
 public:
  // `local_ranks`: how many processes like this one share the host. `backend` must outlive the
  // sampler.
  UtilisationSampler(gpu::Backend& backend,
                     int device_index,
                     int local_ranks,
                     double interval_s = 0.5);
  // Blocks: until the thread has ended, at once unless a sample is being taken.
  ~UtilisationSampler();
  UtilisationSampler(const UtilisationSampler&) = delete;
  UtilisationSampler& operator=(const UtilisationSampler&) = delete;

  Utilisation mean() const;

 private:
  void run() noexcept;
  void sample_until_stopped();
  void add_sample(double cpu_s, double elapsed_s);

  gpu::Backend& backend_;
  int device_index_;
  int local_ranks_;
  double interval_s_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;                    // guarded by mutex_
  Utilisation sum_;                      // sums and maxima, guarded by mutex_
  std::int64_t num_device_samples_ = 0;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace lockstep::telemetry
