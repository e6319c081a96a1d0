#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/eval/options.h>

namespace lockstep::eval {

void bind_options(OptionTable& table, Options& options) {
  table.add("eval",
            "every_epochs",
            options.every_epochs,
            "epochs",
            "Epochs between two evaluations on data.val; training waits meanwhile. 0: only at the "
            "end, where one always happens. No effect without data.val.");
  table.add("eval",
            "batch",
            options.batch,
            "images",
            "Images a rank evaluates at once. No gradients are kept, so more fit than in training. "
            "0: as many as a micro-batch of training.");
  table.add("eval",
            "ema",
            options.ema,
            "Evaluate the averaged weights where there are any (optim.ema_decay), not the trained "
            "ones.");
}

void validate(const Options& options) {
  if (options.every_epochs < 0) {
    throw config_error(format("eval.every_epochs = {} is negative: write 0 for only at the end",
                              options.every_epochs));
  }
  if (options.batch < 0) {
    throw config_error(
        format("eval.batch = {} is negative: write 0 for the batch of training", options.batch));
  }
}

}  // namespace lockstep::eval
