#include "gradient_hooks.h"

#include <lockstep/base/format.h>
#include <lockstep/base/log.h>
#include <lockstep/parallel/reducer.h>

#include <span>
#include <string>

namespace lockstep::parallel {
namespace {

// Indices in the order in which their gradients were complete: of the last time each one fired, as
// a loss may run several backward passes inside.
std::vector<std::int64_t> observe(const std::vector<optim::NamedParameter>& parameters,
                                  const std::function<at::Tensor()>& loss) {
  std::vector<std::int64_t> fired;
  {
    const GradientHooks hooks(parameters, [&fired](std::size_t index) {
      fired.push_back(static_cast<std::int64_t>(index));
    });
    loss().backward();
  }
  std::vector<bool> seen(parameters.size(), false);
  std::vector<std::int64_t> order;
  for (auto it = fired.rbegin(); it != fired.rend(); ++it) {
    if (seen[static_cast<std::size_t>(*it)]) continue;
    seen[static_cast<std::size_t>(*it)] = true;
    order.push_back(*it);
  }
  return {order.rbegin(), order.rend()};
}

// Appends the parameters that got no gradient, and says which.
void append_unused(const std::vector<optim::NamedParameter>& parameters,
                   std::vector<std::int64_t>& order) {
  std::vector<bool> seen(parameters.size(), false);
  for (const std::int64_t i : order) seen[static_cast<std::size_t>(i)] = true;
  std::string names;
  std::int64_t unused = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (seen[i]) continue;
    order.push_back(static_cast<std::int64_t>(i));
    names += (unused++ == 0 ? "" : ", ") + parameters[i].name;
  }
  if (unused > 0) {
    log::warning("{} of {} parameters got no gradient in the probe and are reduced last: {}",
                 unused,
                 parameters.size(),
                 names);
  }
}

}  // namespace

std::vector<std::int64_t> probe_backward_order(comm::World& world,
                                               const std::vector<optim::NamedParameter>& parameters,
                                               const std::function<at::Tensor()>& loss) {
  std::vector<std::int64_t> order;
  comm::agree(world, [&] { order = observe(parameters, loss); });
  for (const optim::NamedParameter& parameter : parameters) {
    at::Tensor tensor = parameter.tensor;
    tensor.mutable_grad().reset();
  }
  order.reserve(parameters.size());
  if (world.rank() == 0) append_unused(parameters, order);
  order.resize(parameters.size());
  comm::broadcast(world.control(), std::as_writable_bytes(std::span(order)), 0);
  return order;
}

}  // namespace lockstep::parallel
