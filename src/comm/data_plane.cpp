#include "data_plane.h"

#include "nccl_door.h"
#include "solo_group.h"
#include "staged_group.h"

#include <lockstep/base/format.h>
#include <lockstep/base/process.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

namespace lockstep::comm {
namespace {

void refuse_mixed_devices(const std::vector<DeviceClaim>& claims) {
  for (std::size_t rank = 1; rank < claims.size(); ++rank) {
    if (claims[rank].is_cuda == claims[0].is_cuda) continue;
    throw unavailable_error(format(
        "rank 0 ({}) computes on {} and rank {} ({}) on {}: pass the same --run.device to all",
        claims[0].host,
        claims[0].is_cuda ? "cuda" : "the CPU",
        rank,
        claims[rank].host,
        claims[rank].is_cuda ? "cuda" : "the CPU"));
  }
}

DeviceClaim parse_claim(const std::string& text) {
  const std::size_t first = text.find('\n');
  const std::size_t second = text.find('\n', first + 1);
  return {text.substr(0, first) == "cuda",
          text.substr(first + 1, second - first - 1),
          text.substr(second + 1)};
}

}  // namespace

std::string shared_device_text(const std::vector<DeviceClaim>& claims) {
  std::map<std::pair<std::string, std::string>, std::size_t> owner;
  for (std::size_t rank = 0; rank < claims.size(); ++rank) {
    if (!claims[rank].is_cuda) continue;
    const auto [place, fresh] =
        owner.emplace(std::pair(claims[rank].host, claims[rank].uuid), rank);
    if (fresh) continue;
    return format("ranks {} and {} share {} of {}",
                  place->second,
                  rank,
                  claims[rank].uuid,
                  claims[rank].host);
  }
  return {};
}

DataPlane choose_data_plane(const std::string& backend,
                            const std::vector<DeviceClaim>& claims,
                            bool allow_gpu_sharing) {
  refuse_mixed_devices(claims);
  if (!claims[0].is_cuda) {
    if (backend == "nccl") {
      throw config_error(
          "comm.backend is nccl but the ranks compute on the CPU: use auto or mpi, or "
          "--run.device cuda");
    }
    return DataPlane::kHost;
  }
  const std::string shared = shared_device_text(claims);
  if (!shared.empty() && !allow_gpu_sharing) {
    throw unavailable_error(format(
        "{}: start one rank per GPU, or pass --run.allow_gpu_sharing to debug on one", shared));
  }
  if (backend == "nccl") return shared.empty() ? DataPlane::kNccl : DataPlane::kNcclApart;
  if (claims.size() == 1) return DataPlane::kSolo;
  if (backend == "mpi" || !shared.empty()) return DataPlane::kStaged;
  return DataPlane::kNccl;
}

std::vector<DeviceClaim> gather_claims(Group& control, const DeviceClaim& own) {
  const std::string text = format("{}\n{}\n{}", own.is_cuda ? "cuda" : "cpu", own.host, own.uuid);
  std::vector<DeviceClaim> claims;
  for (const std::string& claim : all_gather_text(control, text)) {
    claims.push_back(parse_claim(claim));
  }
  return claims;
}

std::unique_ptr<Group> open_data_group(World& world,
                                       const Options& options,
                                       const Device& device,
                                       bool allow_gpu_sharing,
                                       const std::function<std::unique_ptr<Group>()>& open_host) {
  DeviceClaim own{device.is_cuda(), host_name(), {}};
  if (own.is_cuda) own.uuid = device.backend->info(device.index).uuid;
  const auto claims = gather_claims(world.control(), own);
  switch (choose_data_plane(options.backend, claims, allow_gpu_sharing)) {
    case DataPlane::kHost:
      return open_host();
    case DataPlane::kSolo:
      return std::make_unique<SoloGroup>(*device.backend);
    case DataPlane::kStaged:
      return std::make_unique<StagedGroup>(*device.backend, open_host());
    case DataPlane::kNcclApart:
      // NCCL refuses two ranks on one device, unless they seem to be on two hosts; they then talk
      // by its network transport.
      setenv("NCCL_HOSTID", format("{}-{}", host_name(), world.rank()).c_str(), 0);
      return open_nccl_group(world, device, options);
    case DataPlane::kNccl:
      return open_nccl_group(world, device, options);
  }
  throw internal_error("unknown data plane");
}

}  // namespace lockstep::comm
