#include "digest_words.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/parallel/digest.h>

#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <map>
#include <utility>

namespace lockstep::parallel {
namespace {

// Mixes the tensors' digests: the multiplier of FNV-1a, 64 bits.
constexpr std::uint64_t kMix = 0x100000001b3;

std::uint64_t digest_on_host(const std::uint32_t* words, std::int64_t count) {
  std::uint64_t digest = 0;
  for (std::int64_t row = 0; row * kDigestRowWords < count; ++row) {
    const std::int64_t end = std::min(count, (row + 1) * kDigestRowWords);
    std::uint64_t sum = 0;
    for (std::int64_t i = row * kDigestRowWords; i < end; ++i) sum += words[i];
    digest += sum * digest_weight(row);
  }
  return digest;
}

// () i64, where the tensor lies.
at::Tensor digest_of_one(const at::Tensor& tensor) {
  LOCKSTEP_CHECK(tensor.is_contiguous() && tensor.element_size() % 4 == 0,
                 "a digest reads whole words");
  const std::int64_t count = static_cast<std::int64_t>(tensor.nbytes()) / 4;
  if (count > 0 && !tensor.is_cpu()) return digest_by_ops(tensor.view({-1}).view(at::kInt));
  const auto* const words = static_cast<const std::uint32_t*>(tensor.const_data_ptr());
  return at::scalar_tensor(static_cast<std::int64_t>(digest_on_host(words, count)), at::kLong);
}

// By value, the ranks that have it.
using Parties = std::map<std::string, std::vector<int>>;

comm::Failure failure_of(const std::string& part, const Parties& parties, std::int64_t step) {
  const auto largest =
      std::ranges::max_element(parties, {}, [](const auto& party) { return party.second.size(); });
  std::vector<int> odd;
  for (const auto& party : parties) {
    if (party.first != largest->first)
      odd.insert(odd.end(), party.second.begin(), party.second.end());
  }
  std::ranges::sort(odd);
  std::string who = format("rank {}", odd.front());
  for (std::size_t i = 1; i < odd.size(); ++i) who += format(", {}", odd[i]);
  const bool tied = 2 * largest->second.size() <= odd.size() + largest->second.size();
  const std::string text = tied ? format("{} of the ranks are not the same any more", part)
                                : format("{} of {} are not those of the other ranks", part, who);
  return {ExitCode::kDiverged,
          odd.front(),
          format("{} after step {}: memory or a device is faulty, or code changes them outside of "
                 "the step; check that host and go on from the last snapshot",
                 text,
                 step)};
}

}  // namespace

std::uint64_t digest_of(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> each;
  for (const at::Tensor& tensor : tensors) each.push_back(digest_of_one(tensor));
  const auto on_device = std::ranges::find_if(each, [](const auto& one) { return !one.is_cpu(); });
  if (on_device != each.end()) {  // one read for all
    for (at::Tensor& one : each) one = one.to(on_device->device(), /*non_blocking=*/true);
    each = at::stack(each).cpu().unbind();
  }
  std::uint64_t digest = 0;
  for (const at::Tensor& one : each) {
    digest = digest * kMix + static_cast<std::uint64_t>(one.item<std::int64_t>());
  }
  return digest;
}

std::vector<DigestPart> replicated_state(optim::Arena& arena, optim::Optimizer& optimizer) {
  std::vector<DigestPart> parts{{"the parameters", {arena.parameters()}},
                                {"the optimizer's state", {}}};
  for (const optim::NamedParameter& entry : optimizer.replicated_state()) {
    parts.back().tensors.push_back(entry.tensor);
  }
  return parts;
}

void compare_digests(comm::World& world, const std::vector<DigestPart>& parts, std::int64_t step) {
  std::string own;
  for (const DigestPart& part : parts) own += format("{:016x}", digest_of(part.tensors));
  const std::vector<std::string> all = comm::all_gather_text(world.control(), own);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Parties parties;
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
      parties[all[rank].substr(16 * i, 16)].push_back(static_cast<int>(rank));
    }
    if (parties.size() > 1) throw comm::AgreedError(failure_of(parts[i].name, parties, step));
  }
}

}  // namespace lockstep::parallel
