// The one way in which a layer calls a child: the seam for spans, and later for recompute,
// precision islands and probes (C++ modules have no forward hooks).
#pragma once

#include <ATen/record_function.h>

#include <utility>

namespace lockstep::models {

// The child's output. `name` is a string literal; it names the span of a trace and costs 24 ns
// while nobody traces.
template <class Module, class... Inputs>
auto call(const char* name, Module& module, Inputs&&... inputs) {
  RECORD_USER_SCOPE(name);
  return module.forward(std::forward<Inputs>(inputs)...);
}

}  // namespace lockstep::models
