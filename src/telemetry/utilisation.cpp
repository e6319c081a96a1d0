#include <lockstep/base/clock.h>
#include <lockstep/base/error.h>
#include <lockstep/base/log.h>
#include <lockstep/base/threads.h>
#include <lockstep/telemetry/utilisation.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

namespace lockstep::telemetry {

double process_cpu_s() {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  std::ifstream file("/proc/self/stat");
  std::string line;
  if (!std::getline(file, line)) return kUnknown;
  // The second field is the program's name in brackets and may hold blanks; what follows the last
  // bracket starts with field 3. utime and stime are fields 14 and 15 (proc(5)).
  const std::size_t bracket = line.rfind(')');
  if (bracket == std::string::npos) return kUnknown;
  std::istringstream fields(line.substr(bracket + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user_ticks = 0;
  double system_ticks = 0;
  if (!(fields >> user_ticks >> system_ticks)) return kUnknown;
  return (user_ticks + system_ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

UtilisationSampler::UtilisationSampler(gpu::Backend& backend,
                                       int device_index,
                                       int local_ranks,
                                       double interval_s)
    : backend_(backend),
      device_index_(device_index),
      local_ranks_(local_ranks),
      interval_s_(interval_s) {
  thread_ = std::thread([this] { run(); });
}

UtilisationSampler::~UtilisationSampler() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

Utilisation UtilisationSampler::mean() const {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  const std::lock_guard lock(mutex_);
  Utilisation out = sum_;
  const auto samples = static_cast<double>(sum_.num_samples);
  const auto device_samples = static_cast<double>(num_device_samples_);
  out.cpu_cores = samples > 0 ? sum_.cpu_cores / samples : kUnknown;
  const bool host = !backend_.is_cuda();
  const double divisor = host ? samples : device_samples;
  out.device = divisor > 0 ? sum_.device / divisor : kUnknown;
  out.power_w = device_samples > 0 ? sum_.power_w / device_samples : kUnknown;
  if (device_samples == 0) out.temperature_max_c = kUnknown;
  return out;
}

void UtilisationSampler::run() noexcept {
  try {
    block_signals();
    set_thread_name("ls-utilisation");
    sample_until_stopped();
  } catch (...) {
    log::warning("utilisation is no longer sampled: {}", current_error().what());
  }
}

void UtilisationSampler::sample_until_stopped() {
  double last_cpu_s = process_cpu_s();
  double last_moment_s = now_s();
  const std::chrono::duration<double> interval(interval_s_);
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, interval, [this] { return stop_; })) return;
    }
    const double cpu_s = process_cpu_s();
    const double moment_s = now_s();
    add_sample(cpu_s - last_cpu_s, moment_s - last_moment_s);
    last_cpu_s = cpu_s;
    last_moment_s = moment_s;
  }
}

void UtilisationSampler::add_sample(double cpu_s, double elapsed_s) {
  const double cores = elapsed_s > 0 && std::isfinite(cpu_s) ? cpu_s / elapsed_s : 0.0;
  const auto sample = backend_.is_cuda() ? backend_.sample(device_index_) : std::nullopt;
  const double offered = cores_per_rank(local_ranks_);
  const std::lock_guard lock(mutex_);
  sum_.num_samples += 1;
  sum_.cpu_cores += cores;
  if (!backend_.is_cuda()) sum_.device += std::min(1.0, cores / offered);
  if (!sample) return;
  num_device_samples_ += 1;
  sum_.device += sample->utilisation;
  sum_.power_w += sample->power_w;
  sum_.temperature_max_c = std::max(sum_.temperature_max_c, sample->temperature_c);
  sum_.memory_used_max_bytes = std::max(sum_.memory_used_max_bytes, sample->memory_used_bytes);
}

}  // namespace lockstep::telemetry
