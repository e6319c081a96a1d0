#include "device_choice.h"

#include "data_plane.h"

#include <lockstep/base/format.h>
#include <lockstep/base/process.h>

#include <vector>

namespace lockstep::comm {
namespace {

bool want_cuda(World& world, const std::string& kind, const DeviceProbe& probe) {
  if (kind == "cpu") return false;
  if (kind != "auto" && kind != "cuda") {
    throw config_error(format("run.device is \"{}\": use auto, cpu or cuda", kind));
  }
  std::string reason;
  std::int64_t have = probe.cuda_present(&reason) ? 1 : 0;
  agree(world, [&] {
    if (kind == "cuda" && have == 0) {
      throw unavailable_error(
          format("run.device is cuda, but rank {} on {}: {}", world.rank(), host_name(), reason));
    }
  });
  std::int64_t ranks_with = have;
  all_reduce(world.control(), std::span(&ranks_with, 1), ReduceOp::kSum);
  if (ranks_with != 0 && ranks_with != world.size()) {
    throw unavailable_error(
        format("{} of {} ranks see a GPU: pass --run.device cpu, or give every "
               "rank a GPU",
               ranks_with,
               world.size()));
  }
  return ranks_with > 0;
}

int pick_index(const World& world, int devices, bool allow_gpu_sharing) {
  // One visible device: a launcher that hides the others gave it to this rank.
  if (devices == 1) return 0;
  if (world.local_rank() < devices) return world.local_rank();
  if (!allow_gpu_sharing) {
    throw unavailable_error(
        format("{} ranks on {} but {} GPUs: start one rank per GPU, or pass "
               "--run.allow_gpu_sharing to debug",
               world.local_size(),
               host_name(),
               devices));
  }
  return world.local_rank() % devices;
}

void refuse_sharing(World& world, const Device& device, int devices) {
  const DeviceClaim own{true, host_name(), device.backend->info(device.index).uuid};
  const std::string shared = shared_device_text(gather_claims(world.control(), own));
  agree(world, [&] {
    if (shared.empty()) return;
    throw unavailable_error(
        format("{}: {} ranks on {} but {} GPUs visible to each; start one rank "
               "per GPU, or pass --run.allow_gpu_sharing to debug",
               shared,
               world.local_size(),
               own.host,
               devices));
  });
}

}  // namespace

Device choose_device(World& world,
                     const std::string& kind,
                     bool allow_gpu_sharing,
                     const DeviceProbe& probe) {
  if (!want_cuda(world, kind, probe)) return Device{&gpu::host_backend(), 0};
  Device device;
  int devices = 0;
  agree(world, [&] {
    device.backend = &probe.open_cuda();
    devices = device.backend->device_count();
    device.index = pick_index(world, devices, allow_gpu_sharing);
    device.backend->set_device(device.index);
  });
  if (!allow_gpu_sharing) refuse_sharing(world, device, devices);
  return device;
}

Device choose_device(World& world, const std::string& kind, bool allow_gpu_sharing) {
  return choose_device(
      world, kind, allow_gpu_sharing, {&gpu::cuda_device_present, &gpu::cuda_backend});
}

}  // namespace lockstep::comm
