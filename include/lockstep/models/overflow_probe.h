// Where numbers stop being finite: looks at what every part of a model gives and at the gradients
// that come back to it. Costs a pass over each of them, so it is made when a step went wrong.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

namespace lockstep::models {

class OverflowProbe {
 public:
  OverflowProbe();
  ~OverflowProbe();
  OverflowProbe(const OverflowProbe&) = delete;
  OverflowProbe& operator=(const OverflowProbe&) = delete;

  // While it lives, the probe sees the parts that are called on this thread; null: none does.
  class Scope {
   public:
    explicit Scope(OverflowProbe* probe);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    OverflowProbe* before_;
  };
  // Of the innermost Scope of this thread; null without one.
  static OverflowProbe* active();

  // Looks at `value` now and at its gradient when backward has it. `what`: "the output of head".
  void watch(const std::string& what, const at::Tensor& value);
  // What forward met first that was not finite, or, when all there was, "the gradient of …" that
  // backward met first; empty when all was finite. Blocks: reads the device.
  std::string first() const;

 private:
  struct Seen;
  std::shared_ptr<Seen> seen_;  // hooks of the graph hold it too
};

}  // namespace lockstep::models
