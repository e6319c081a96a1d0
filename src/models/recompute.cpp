// The saved tensors of recomputed blocks. A frame is one call of a block, a slot one tensor that
// autograd saved in it, known by its number: running again saves the same tensors in the same
// order.
#include "models/compute_state.h"
#include "models/saving_engine.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/models/recompute.h>

#include <c10/util/StringUtil.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/graph_task.h>
#include <torch/csrc/autograd/saved_variable.h>

#include <algorithm>
#include <mutex>
#include <string>

namespace lockstep::models::recompute_detail {
namespace {

using torch::autograd::SavedVariable;
using torch::autograd::SavedVariableHooks;

// Thrown where the last needed tensor was saved again. No std::exception, so that no block takes it
// for an error.
struct Enough {};

// By what a tensor of the second run is known to be that of the first.
struct Look {
  explicit Look(const at::Tensor& x)
      : sizes(x.sizes().vec()),
        type(x.scalar_type()),
        device(x.device()),
        version(static_cast<std::int64_t>(x._version())) {}
  bool operator==(const Look&) const = default;
  std::string text() const {
    return format("{} {} on {}, version {}",
                  c10::str(at::IntArrayRef(sizes)),
                  c10::toString(type),
                  device.str(),
                  version);
  }

  std::vector<std::int64_t> sizes;
  at::ScalarType type;
  at::Device device;
  std::int64_t version;
};

struct Slot {
  explicit Slot(const at::Tensor& x) : look(x) {
    // A parameter lives anyway, and is not made by the block.
    if (x.is_leaf() && x.requires_grad()) value = x;
    kept = value.defined();
  }

  Look look;
  bool kept;
  at::Tensor value;
};

class Frame : public std::enable_shared_from_this<Frame> {
 public:
  Frame(const RecomputeOptions& options,
        const Tensors& inputs,
        std::function<void(const Tensors&)> again)
      : state_(options.keep_random_state, inputs), again_(std::move(again)) {
    for (const at::Tensor& input : inputs) {
      const bool defined = input.defined();
      // A block around this one may forget these too: its saver is in force here.
      inputs_.push_back({SavedVariable(input, /*is_output=*/false),
                         defined ? static_cast<std::int64_t>(input._version()) : 0,
                         defined && input.requires_grad()});
    }
  }

  void end_first_run() { state_.drop_idle_generators(); }

  std::shared_ptr<Slot> add(const at::Tensor& x) {
    auto slot = std::make_shared<Slot>(x);
    slots_.push_back(slot);
    return slot;
  }

  at::Tensor value(Slot& slot);
  // The second run saved its tensor number `index`.
  void take(std::size_t index, const at::Tensor& x);

 private:
  struct Input {
    SavedVariable saved;
    std::int64_t version;
    bool requires_grad;
  };

  Tensors inputs() const;
  void run_again();
  void forget();

  std::mutex mutex_;  // backward may read slots on one thread a device
  ComputeState state_;
  std::function<void(const Tensors&)> again_;
  std::vector<Input> inputs_;
  std::vector<std::weak_ptr<Slot>> slots_;  // dead: backward is done with it
  std::size_t num_needed_ = 0;              // of a second run: slots up to the last to be filled
};

// The first run: forget the tensor, remember how to get it.
class FirstRun final : public TensorSaver {
 public:
  explicit FirstRun(std::shared_ptr<Frame> frame) : frame_(std::move(frame)) {}
  std::unique_ptr<SavedVariableHooks> hooks() override { return std::make_unique<Hooks>(frame_); }

 private:
  class Hooks final : public SavedVariableHooks {
   public:
    explicit Hooks(std::shared_ptr<Frame> frame) : frame_(std::move(frame)) {}
    void call_pack_hook(const at::Tensor& x) override { slot_ = frame_->add(x); }
    at::Tensor call_unpack_hook() override { return frame_->value(*slot_); }

   private:
    std::shared_ptr<Frame> frame_;
    std::shared_ptr<Slot> slot_;
  };

  std::shared_ptr<Frame> frame_;
};

// The second run: its tensors fill the slots; its own graph is thrown away.
class SecondRun final : public TensorSaver {
 public:
  explicit SecondRun(Frame& frame) : frame_(frame) {}
  std::unique_ptr<SavedVariableHooks> hooks() override { return std::make_unique<Hooks>(*this); }

 private:
  class Hooks final : public SavedVariableHooks {
   public:
    explicit Hooks(SecondRun& run) : run_(run) {}
    void call_pack_hook(const at::Tensor& x) override {
      value_ = x.detach();
      run_.frame_.take(run_.next_++, value_);
    }
    at::Tensor call_unpack_hook() override { return value_; }  // a backward inside the block

   private:
    SecondRun& run_;
    at::Tensor value_;
  };

  Frame& frame_;
  std::size_t next_ = 0;
};

at::Tensor Frame::value(Slot& slot) {
  const std::lock_guard lock(mutex_);
  if (!slot.value.defined()) run_again();
  LOCKSTEP_CHECK(slot.value.defined(), "a second run that ended fills every slot");
  if (static_cast<std::int64_t>(slot.value._version()) == slot.look.version) return slot.value;
  throw internal_error(
      format("a tensor that a recomputed block saved ({}) was changed in place (now version {}): "
             "change a clone",
             slot.look.text(),
             slot.value._version()));
}

void Frame::take(std::size_t index, const at::Tensor& x) {
  const std::shared_ptr<Slot> slot = index < slots_.size() ? slots_[index].lock() : nullptr;
  if (slot && !slot->kept) {
    const Look look(x);
    if (look != slot->look) {
      throw internal_error(
          format("a block does not repeat itself when it is recomputed: saved tensor {} was {} and "
                 "is {}: it must do the same again, on data that was not changed in place",
                 index,
                 slot->look.text(),
                 look.text()));
    }
    slot->value = x;
  }
  if (index + 1 == num_needed_) throw Enough{};
}

Tensors Frame::inputs() const {
  Tensors out;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const Input& input = inputs_[i];
    const std::optional<at::Tensor> raw = input.saved.get_raw_data();
    if (raw && raw->defined() && static_cast<std::int64_t>(raw->_version()) != input.version) {
      throw internal_error(format(
          "input {} of a recomputed block was changed in place since it ran (version {}, was {}): "
          "pass a clone, or do not recompute the block",
          i,
          raw->_version(),
          input.version));
    }
    at::Tensor x = input.saved.unpack();
    // Apart from the graph, or the second run would hang on to it.
    if (x.defined()) x = x.detach();
    if (input.requires_grad) x.set_requires_grad(true);
    out.push_back(std::move(x));
  }
  return out;
}

void Frame::run_again() {
  const Tensors inputs = this->inputs();
  num_needed_ = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const std::shared_ptr<Slot> slot = slots_[i].lock();
    if (slot && !slot->value.defined()) num_needed_ = i + 1;
  }
  SecondRun run(*this);
  bool complete = false;
  try {
    const at::AutoGradMode with_gradient(true);
    const ComputeStateScope state(state_);
    const SaverScope saving(&run);
    again_(inputs);
  } catch (const Enough&) {
    complete = true;
  } catch (const std::exception&) {
    forget();
    throw;
  } catch (...) {
    // Autograd's own threads would end the process.
    forget();
    throw internal_error("a recomputed block threw something that is no std::exception");
  }
  if (!complete) {
    forget();
    throw internal_error(
        format("a block does not repeat itself when it is recomputed: it saved fewer than {} "
               "tensors: it must do the same again",
               num_needed_));
  }
  if (torch::autograd::get_current_graph_task_id() == -1) return;
  // What a graph that is retained has no more use for in this backward pass.
  torch::autograd::Engine::get_default_engine().queue_callback([weak = weak_from_this()] {
    const std::shared_ptr<Frame> frame = weak.lock();
    if (!frame) return;
    const std::lock_guard lock(frame->mutex_);
    frame->forget();
  });
}

void Frame::forget() {
  for (const std::weak_ptr<Slot>& weak : slots_) {
    const std::shared_ptr<Slot> slot = weak.lock();
    if (slot && !slot->kept) slot->value.reset();
  }
}

}  // namespace

struct Recording::State {
  explicit State(std::shared_ptr<Frame> frame_in)
      : frame(frame_in), first(std::move(frame_in)), scope(&first) {}

  std::shared_ptr<Frame> frame;
  FirstRun first;
  SaverScope scope;
};

Recording::Recording(const RecomputeOptions& options,
                     const Tensors& inputs,
                     std::function<void(const Tensors&)> again)
    : state_(std::make_unique<State>(std::make_shared<Frame>(options, inputs, std::move(again)))) {}

Recording::~Recording() {
  try {
    state_->frame->end_first_run();
  } catch (...) {  // no memory to look: the generators' state is kept, which is as right
  }
}

}  // namespace lockstep::models::recompute_detail
