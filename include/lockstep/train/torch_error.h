// LibTorch's exceptions as lockstep's.
#pragma once

#include <lockstep/base/error.h>
#include <lockstep/comm/world.h>

#include <functional>

namespace lockstep::train {

// As lockstep::current_error, and besides: an allocator that has no memory becomes 71, any other
// c10::Error a one-line 70 without its stack trace.
// Requires: called inside a catch block.
Error current_torch_error();

// Runs `call`, which uses LibTorch, and throws Error in place of anything else.
template <class Call>
auto with_torch_errors(const Call& call) {
  try {
    return call();
  } catch (...) {
    throw current_torch_error();
  }
}

// comm::agree for a phase that uses LibTorch. Collective. Throws: comm::AgreedError.
inline void agree(comm::World& world, const std::function<void()>& phase) {
  comm::agree(world, [&phase] { with_torch_errors(phase); });
}

}  // namespace lockstep::train
