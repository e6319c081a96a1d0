// The settings of the data module: meaning, unit, cost and limits. Knows nothing of files.
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/data/options.h>

#include <algorithm>
#include <vector>

namespace lockstep::data {
namespace {

constexpr std::int64_t kMaxThreads = 64;
constexpr std::int64_t kMaxPrefetch = 1024;

void require_choice(const char* name,
                    const std::string& value,
                    const std::vector<std::string>& choices) {
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return;
  std::string text;
  for (const std::string& choice : choices) text += (text.empty() ? "" : ", ") + choice;
  throw config_error(format("{} = \"{}\" is not one of {}", name, value, text));
}

void require_range(const char* name, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return;
  throw config_error(format("{} = {} is not between {} and {}", name, value, low, high));
}

const std::vector<std::string> kReaders{"engine", "naive"};
const std::vector<std::string> kOrders{"auto", "global", "sequential"};
const std::vector<std::string> kLastBatches{"pad", "drop"};
const std::vector<std::string> kVerifies{"first_epoch", "always", "never"};

}  // namespace

void bind_options(OptionTable& table, Options& options) {
  const char* section = "data";
  table.add(
      section,
      "train",
      options.train,
      "HDF5 file with the training images; `lockstep prepare` makes one, and other files with "
      "u8 images and integer labels are read too.");
  table.add(section,
            "val",
            options.val,
            "HDF5 file with the images to evaluate on. Empty: no evaluation.");
  table.add(section,
            "reader",
            options.reader,
            "How samples are read. engine: reader threads and positional reads ahead of the "
            "training thread. naive: one H5Dread a sample on the training thread, for comparison "
            "only; it is many times slower and hides nothing.",
            kReaders);
  table.add(section,
            "order",
            options.order,
            "Order of the training samples. global: a new uniform shuffle of all samples every "
            "epoch. sequential: as stored, every epoch alike. auto: global.",
            kOrders);
  table.add(section,
            "threads",
            options.threads,
            "threads",
            "Reader threads of each rank. One keeps up with small images; each more costs a core "
            "while it reads.");
  table.add(section,
            "prefetch",
            options.prefetch,
            "micro-batches",
            "Slabs in the ring that reader threads fill ahead; at least one more than threads are "
            "used. Costs batch x image bytes of page-locked memory each.");
  table.add(section,
            "image_key",
            options.image_key,
            "Name of the image data set in files that lockstep did not write: u8 of shape "
            "(N, H, W) or (N, H, W, C).");
  table.add(section,
            "label_key",
            options.label_key,
            "Name of the label data set in files that lockstep did not write: integers of "
            "shape (N).");
  table.add(section,
            "last_batch",
            options.last_batch,
            "The last step of an epoch. pad: filled up with samples of weight zero, so that every "
            "sample counts once. drop: left out when it is not full.",
            kLastBatches);
  table.add(section,
            "verify",
            options.verify,
            "When the CRC-32C of each image is checked. first_epoch and always cost 18 to 45 % of "
            "the bare read, on the reader threads; never accepts silent damage.",
            kVerifies);
}

void validate(const Options& options) {
  require_choice("data.reader", options.reader, kReaders);
  require_choice("data.order", options.order, kOrders);
  require_choice("data.last_batch", options.last_batch, kLastBatches);
  require_choice("data.verify", options.verify, kVerifies);
  require_range("data.threads", options.threads, 1, kMaxThreads);
  require_range("data.prefetch", options.prefetch, 2, kMaxPrefetch);
  if (options.image_key.empty()) throw config_error("data.image_key is empty: name a data set");
  if (options.label_key.empty()) throw config_error("data.label_key is empty: name a data set");
}

}  // namespace lockstep::data
