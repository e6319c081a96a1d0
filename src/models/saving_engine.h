// A seat between autograd and what it saves: LibTorch's engine is asked for hooks whenever a tensor
// is saved, which only its Python engine answers. Ours answers for one thread and scope, and passes
// everything else on to the engine that was there before.
#pragma once

#include <torch/csrc/autograd/saved_variable_hooks.h>

#include <memory>

namespace lockstep::models {

// Makes the hooks of the next tensor that is saved.
class TensorSaver {
 public:
  virtual ~TensorSaver() = default;
  virtual std::unique_ptr<torch::autograd::SavedVariableHooks> hooks() = 0;
};

// While it lives, tensors that autograd saves on this thread go to `saver`; null: none does.
// Thread: made and destroyed on one thread.
class SaverScope {
 public:
  explicit SaverScope(TensorSaver* saver);
  ~SaverScope();
  SaverScope(const SaverScope&) = delete;
  SaverScope& operator=(const SaverScope&) = delete;

 private:
  TensorSaver* before_;
};

}  // namespace lockstep::models
