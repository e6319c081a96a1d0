#include <lockstep/optim/patterns.h>
#include <lockstep/train/autocast.h>

#include <ATen/autocast_mode.h>

#include <algorithm>
#include <vector>

namespace lockstep::train {

AutocastScope::AutocastScope(const std::string& compute, c10::DeviceType device)
    : device_(device), on_(compute != "fp32") {
  if (!on_) return;
  before_on_ = at::autocast::is_autocast_enabled(device_);
  before_type_ = at::autocast::get_autocast_dtype(device_);
  at::autocast::increment_nesting();
  at::autocast::set_autocast_dtype(device_, compute == "bf16" ? at::kBFloat16 : at::kHalf);
  at::autocast::set_autocast_enabled(device_, true);
}

AutocastScope::~AutocastScope() {
  if (!on_) return;
  at::autocast::set_autocast_enabled(device_, before_on_);
  at::autocast::set_autocast_dtype(device_, before_type_);
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
}

void keep_in_fp32(models::Vit& model, const std::string& globs) {
  const char* const key = "precision.fp32_modules";
  const std::vector<std::string> patterns = optim::parse_patterns(key, globs);
  for (const std::string& pattern : patterns) {
    optim::require_match(key, pattern, model.part_places(), "layers");
  }
  model.set_fp32([&patterns](const std::string& place) {
    return std::ranges::any_of(
        patterns, [&place](const std::string& pattern) { return optim::matches(pattern, place); });
  });
}

}  // namespace lockstep::train
