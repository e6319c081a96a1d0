// Gradient checkpointing (Chen et al. 2016) for any LibTorch program: a block forgets what autograd
// saved in it and runs again when backward asks for it. Knows nothing of models.
//
// The graph is the one of the plain run: parameters, whether passed or captured, get their gradient
// once, hooks fire once, and backward through backward works. Only saved tensors are replaced: the
// first one that backward reads makes the block run again, up to the last one it needs. Losses and
// gradients are those of the plain run bit for bit as long as the block repeats itself.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>

#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace lockstep::models {

struct RecomputeOptions {
  // Run again with the numbers that torch's default generators (CPU, and CUDA devices of the
  // inputs) gave before. Costs a few microseconds a block; not needed when the block draws from
  // none.
  bool keep_random_state = true;
};

namespace recompute_detail {

using Tensors = std::vector<at::Tensor>;

// While it lives, what autograd saves on this thread is forgotten and made again by `again`.
class Recording {
 public:
  Recording(const RecomputeOptions& options,
            const Tensors& inputs,
            std::function<void(const Tensors&)> again);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

template <class Input, class Visitor>
void visit_tensors(Input& input, const Visitor& visit) {
  if constexpr (std::is_same_v<Input, at::Tensor>) {
    visit(input);
  } else if constexpr (std::is_same_v<Input, std::optional<at::Tensor>>) {
    if (input) visit(*input);
  } else if constexpr (std::is_same_v<Input, Tensors>) {
    for (at::Tensor& tensor : input) visit(tensor);
  }
}

template <class Held, class Visitor>
void visit_all(Held& held, const Visitor& visit) {
  std::apply([&](auto&... inputs) { (visit_tensors(inputs, visit), ...); }, held);
}

template <class Block, class... Inputs>
auto call_block(Block& block, Inputs&... inputs) {
  if constexpr (std::is_invocable_v<Block&, Inputs&...>) {
    return std::invoke(block, inputs...);
  } else {
    return block->forward(inputs...);
  }
}

}  // namespace recompute_detail

// block(inputs...), or block->forward(inputs...) for a pointer or holder of a module, whatever it
// returns. Inputs that are tensors, optional tensors or vectors of tensors (undefined ones,
// integers and such without gradient too) are kept until backward, others are copied; so is
// `block`, and what it refers to must live until backward. Requires: the block does the same when
// it runs again: no effects besides its results (a counter,
//   running statistics) that may not happen twice, and no input changed in place.
// Throws (in backward): Error(kInternal) when an input was changed in place since or when the block
//   does not repeat itself; what the block throws. Without gradient mode it is a plain call.
// Thread: backward may run on any thread.
template <class Block, class... Inputs>
auto recompute(const RecomputeOptions& options, Block&& block, Inputs&&... inputs) {
  using recompute_detail::Tensors;
  if (!c10::GradMode::is_enabled()) return recompute_detail::call_block(block, inputs...);
  std::tuple<std::decay_t<Inputs>...> held(inputs...);
  Tensors tensors;
  recompute_detail::visit_all(held, [&](at::Tensor& x) { tensors.push_back(std::move(x)); });
  auto again = [block = std::decay_t<Block>(block), held](const Tensors& kept) mutable {
    auto full = held;
    auto next = kept.begin();
    recompute_detail::visit_all(full, [&](at::Tensor& x) { x = *next++; });
    std::apply([&](auto&... x) { recompute_detail::call_block(block, x...); }, full);
  };
  const recompute_detail::Recording recording(options, tensors, std::move(again));
  return recompute_detail::call_block(block, inputs...);
}

template <class Block, class... Inputs>
requires(!std::is_same_v<std::decay_t<Block>, RecomputeOptions>) auto recompute(
    Block&& block, Inputs&&... inputs) {
  return recompute(RecomputeOptions{}, std::forward<Block>(block), std::forward<Inputs>(inputs)...);
}

}  // namespace lockstep::models
