// The engine in front of LibTorch's. It runs nothing itself.
#include "models/saving_engine.h"

#include <torch/csrc/autograd/anomaly_mode.h>
#include <torch/csrc/autograd/engine.h>

#include <atomic>
#include <mutex>
#include <utility>

namespace lockstep::models {
namespace {

using torch::autograd::Engine;

thread_local TensorSaver* current_saver = nullptr;

class SavingEngine final : public Engine {
 public:
  explicit SavingEngine(Engine& inner) : inner_(inner) {}

  torch::autograd::variable_list execute(const torch::autograd::edge_list& roots,
                                         const torch::autograd::variable_list& inputs,
                                         bool keep_graph,
                                         bool create_graph,
                                         bool accumulate_grad,
                                         const torch::autograd::edge_list& outputs) override {
    return inner_.execute(roots, inputs, keep_graph, create_graph, accumulate_grad, outputs);
  }
  c10::intrusive_ptr<at::ivalue::Future> execute_with_graph_task(
      const std::shared_ptr<torch::autograd::GraphTask>& graph_task,
      std::shared_ptr<torch::autograd::Node> graph_root,
      torch::autograd::InputBuffer&& input_buffer) override {
    return inner_.execute_with_graph_task(
        graph_task, std::move(graph_root), std::move(input_buffer));
  }
  std::unique_ptr<torch::autograd::AnomalyMetadata> make_anomaly_metadata() override {
    return inner_.make_anomaly_metadata();
  }
  std::unique_ptr<torch::autograd::SavedVariableHooks> get_default_saved_variable_hooks() override {
    return current_saver != nullptr ? current_saver->hooks()
                                    : inner_.get_default_saved_variable_hooks();
  }
  void thread_on_exception(const std::shared_ptr<torch::autograd::GraphTask>& graph_task,
                           const std::shared_ptr<torch::autograd::Node>& fn,
                           std::exception& e) override {
    inner_.thread_on_exception(graph_task, fn, e);
  }

 private:
  Engine& inner_;
};

std::atomic<SavingEngine*> installed = nullptr;

Engine& installed_engine() { return *installed.load(std::memory_order_acquire); }

// Again when another engine came since (Python's, when its module is loaded late). Never freed:
// autograd may run until the process ends.
void install() {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  Engine& engine = Engine::get_default_engine();
  if (&engine == installed.load(std::memory_order_acquire)) return;
  installed.store(new SavingEngine(engine), std::memory_order_release);
  torch::autograd::set_default_engine_stub(installed_engine);
}

}  // namespace

SaverScope::SaverScope(TensorSaver* saver) : before_(current_saver) {
  if (&Engine::get_default_engine() != installed.load(std::memory_order_acquire)) install();
  current_saver = saver;
}

SaverScope::~SaverScope() { current_saver = before_; }

}  // namespace lockstep::models
