#include "broken_samples.h"

#include <lockstep/base/log.h>

namespace lockstep::data {
namespace {

constexpr std::int64_t kMaxNamed = 20;

}  // namespace

BrokenSamples::~BrokenSamples() {
  if (count_ > kMaxNamed) log::warning("{} broken samples were replaced", count_.load());
}

bool BrokenSamples::contains(std::int64_t index) const {
  if (count_ == 0) return false;
  const std::lock_guard lock(mutex_);
  return indices_.contains(index);
}

void BrokenSamples::add(std::int64_t index, const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (!indices_.insert(index).second) return;
  }
  const std::int64_t count = ++count_;
  if (count > kMaxNamed) return;
  log::warning("{}; the next readable sample takes its place (data.on_broken = skip){}",
               error.what(),
               count == kMaxNamed ? "; further broken samples are not named" : "");
}

}  // namespace lockstep::data
