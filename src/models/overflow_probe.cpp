#include <lockstep/models/overflow_probe.h>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

namespace lockstep::models {
namespace {

thread_local OverflowProbe* g_active = nullptr;

struct Look {
  std::string what;
  at::Tensor finite;  // () bool, where the value lies
};

Look look_at(const std::string& what, const at::Tensor& value) {
  const at::NoGradGuard no_grad;
  return {what, at::isfinite(value.detach()).all()};
}

std::string first_of(const std::vector<Look>& looks) {
  const auto found =
      std::ranges::find_if(looks, [](const Look& look) { return !look.finite.item<bool>(); });
  return found == looks.end() ? "" : found->what;
}

}  // namespace

struct OverflowProbe::Seen {
  std::mutex mutex;  // hooks fire on autograd's threads
  std::vector<Look> outputs;
  std::vector<Look> gradients;
};

OverflowProbe::OverflowProbe() : seen_(std::make_shared<Seen>()) {}
OverflowProbe::~OverflowProbe() = default;

OverflowProbe::Scope::Scope(OverflowProbe* probe) : before_(std::exchange(g_active, probe)) {}
OverflowProbe::Scope::~Scope() { g_active = before_; }

OverflowProbe* OverflowProbe::active() { return g_active; }

void OverflowProbe::watch(const std::string& what, const at::Tensor& value) {
  {
    const std::lock_guard lock(seen_->mutex);
    seen_->outputs.push_back(look_at(what, value));
  }
  if (!value.requires_grad()) return;
  value.register_hook([seen = seen_, what](const at::Tensor& gradient) {
    if (!gradient.defined()) return;
    const std::lock_guard lock(seen->mutex);
    seen->gradients.push_back(look_at("the gradient of " + what, gradient));
  });
}

std::string OverflowProbe::first() const {
  const std::lock_guard lock(seen_->mutex);
  const std::string output = first_of(seen_->outputs);
  return output.empty() ? first_of(seen_->gradients) : output;
}

}  // namespace lockstep::models
