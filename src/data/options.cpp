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
constexpr std::int64_t kMaxWindowChunks = 65536;
constexpr std::int64_t kMaxCacheMib = 16 * 1024 * 1024;
constexpr std::int64_t kMaxChunkCacheMib = std::int64_t{1} << 20;

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
const std::vector<std::string> kOrders{"auto", "global", "window", "sequential"};
const std::vector<std::string> kLastBatches{"pad", "drop"};
const std::vector<std::string> kOnBroken{"error", "skip"};
const std::vector<std::string> kVerifies{"first_epoch", "always", "never"};

constexpr const char* kSection = "data";

void bind_files(OptionTable& table, Options& options) {
  table.add(
      kSection,
      "train",
      options.train,
      "HDF5 file with the training images; `lockstep prepare` makes one, and other files with "
      "u8 images and integer labels are read too.");
  table.add(kSection,
            "val",
            options.val,
            "HDF5 file with the images to evaluate on. Empty: no evaluation.");
  table.add(kSection,
            "image_key",
            options.image_key,
            "Name of the image data set in files that lockstep did not write: u8 of shape "
            "(N, H, W) or (N, H, W, C).");
  table.add(kSection,
            "label_key",
            options.label_key,
            "Name of the label data set in files that lockstep did not write: integers of "
            "shape (N).");
  table.add(kSection,
            "verify",
            options.verify,
            "When the CRC-32C of each image is checked. first_epoch and always cost 18 to 45 % of "
            "the bare read, on the reader threads; never accepts silent damage.",
            kVerifies);
  table.add(kSection,
            "on_broken",
            options.on_broken,
            "What an image that cannot be decoded or does not match its CRC-32C does in training "
            "(an evaluation, which counts every sample once, always ends). error: ends "
            "the run and is named. skip: is named in the log and the next readable sample of the "
            "file takes its place, in every epoch and on any number of ranks alike; checks the "
            "CRC-32C of every read, whatever data.verify says. Not for detection data sets.",
            kOnBroken);
}

void bind_order(OptionTable& table, Options& options) {
  table.add(
      kSection,
      "order",
      options.order,
      "Order of the training samples. global: a new uniform shuffle of all samples every "
      "epoch. window: chunks of several samples are shuffled, then the samples inside windows "
      "of data.window_chunks chunks, so that each chunk is read once an epoch. sequential: as "
      "stored, every epoch alike. auto: global where one sample is one read, window in files "
      "with several samples a chunk, where global would read each chunk many times.",
      kOrders);
  table.add(kSection,
            "window_chunks",
            options.window_chunks,
            "chunks",
            "Chunks among whose samples order = window shuffles. More mix better; the inflated "
            "windows that prefetched batches come from are kept in memory, at least two, once for "
            "all ranks of a host.");
  table.add(kSection,
            "last_batch",
            options.last_batch,
            "The last step of an epoch. pad: filled up with samples of weight zero, so that every "
            "sample counts once. drop: left out when it is not full.",
            kLastBatches);
}

void bind_reading(OptionTable& table, Options& options) {
  table.add(kSection,
            "reader",
            options.reader,
            "How samples are read. engine: reader threads and positional reads ahead of the "
            "training thread. naive: one H5Dread a sample on the training thread, for comparison "
            "only; it is many times slower and hides nothing.",
            kReaders);
  table.add(kSection,
            "threads",
            options.threads,
            "threads",
            "Reader threads of each rank. One keeps up with small images; each more costs a core "
            "while it reads.");
  table.add(kSection,
            "prefetch",
            options.prefetch,
            "micro-batches",
            "Slabs in the ring that reader threads fill ahead; at least one more than threads are "
            "used. Costs batch x image bytes of page-locked memory each.");
  table.add(
      kSection,
      "chunk_cache_mib",
      options.chunk_cache_mib,
      "MiB",
      "Inflated chunks of a foreign file that each rank keeps, with order = window the ranks of a "
      "host together, so that samples of one chunk are read and inflated together. Costs at most "
      "this much memory, and with order = window what data.window_chunks says, when that is more.");
  table.add(kSection,
            "cache_mib",
            options.cache_mib,
            "MiB",
            "Memory of each host for decoded samples, shared by its ranks; what fits first stays. "
            "Pays for compressed files and slow disks; files on a fast disk are cached by the "
            "system anyway. 0: none.");
}

}  // namespace

void bind_options(OptionTable& table, Options& options) {
  bind_files(table, options);
  bind_order(table, options);
  bind_reading(table, options);
}

void validate(const Options& options) {
  require_choice("data.reader", options.reader, kReaders);
  require_choice("data.order", options.order, kOrders);
  require_choice("data.last_batch", options.last_batch, kLastBatches);
  require_choice("data.verify", options.verify, kVerifies);
  require_range("data.threads", options.threads, 1, kMaxThreads);
  require_choice("data.on_broken", options.on_broken, kOnBroken);
  require_range("data.prefetch", options.prefetch, 2, kMaxPrefetch);
  require_range("data.window_chunks", options.window_chunks, 1, kMaxWindowChunks);
  require_range("data.cache_mib", options.cache_mib, 0, kMaxCacheMib);
  require_range("data.chunk_cache_mib", options.chunk_cache_mib, 1, kMaxChunkCacheMib);
  if (options.image_key.empty()) throw config_error("data.image_key is empty: name a data set");
  if (options.label_key.empty()) throw config_error("data.label_key is empty: name a data set");
}

}  // namespace lockstep::data
