#include <lockstep/weights/options.h>

namespace lockstep::weights {

void bind_options(OptionTable& table, Options& options) {
  table.add("weights",
            "init",
            options.init,
            "Safetensors file that training starts from. Empty: weights are drawn from run.seed.");
  table.add("weights",
            "strict",
            options.strict,
            "Refuse a file in which a parameter of the model is missing or which has one too many. "
            "false: what matches by name and shape is taken, the rest is listed.");
  table.add("weights",
            "head",
            options.head,
            "keep: the classifier of weights.init is used too. reset: it is drawn anew, for "
            "fine-tuning on other classes.",
            {"keep", "reset"});
}

void validate(const Options&) {}

}  // namespace lockstep::weights
