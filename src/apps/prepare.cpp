// lockstep prepare: images in other formats, or made up, become one data file.
#include "commands.h"
#include "flags.h"

#include <lockstep/base/clock.h>
#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>
#include <lockstep/base/progress.h>
#include <lockstep/base/units.h>
#include <lockstep/data/import.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <optional>

namespace lockstep::apps {
namespace {

const std::vector<std::string> kKinds{"idx", "synthetic"};
const std::vector<std::string> kLaterKinds{"cifar", "image-folder", "coco", "voc", "repack"};

const char* const kHelp =
    "usage: lockstep prepare {idx|synthetic} SOURCE... --out FILE.h5 [flags]\n\n"
    "Writes a data file that lockstep train and eval read. It is written beside its final name,\n"
    "flushed, read back and compared, and only then renamed: a file that is there is whole.\n\n"
    "  idx IMAGES LABELS   MNIST's idx files, plain or gzip\n"
    "  synthetic           seeded images with exact labels or boxes\n\n"
    "lockstep prepare KIND --help lists the flags of a kind.\n"
    "cifar, image-folder, coco, voc and repack are reserved and not in this version.\n";

volatile std::sig_atomic_t g_signal = 0;

extern "C" void remember_signal(int signal) { g_signal = signal; }

// Ctrl-C and a batch system's TERM end the work between two samples, so that the temporary file is
// removed; a file-size limit becomes an error of the write that meets it.
class SignalGuard {
 public:
  SignalGuard() {
    g_signal = 0;
    struct sigaction action {};
    action.sa_handler = remember_signal;
    for (std::size_t i = 0; i < kTaken.size(); ++i) sigaction(kTaken[i], &action, &old_[i]);
    action.sa_handler = SIG_IGN;
    sigaction(SIGXFSZ, &action, &old_.back());
  }
  ~SignalGuard() {
    for (std::size_t i = 0; i < kTaken.size(); ++i) sigaction(kTaken[i], &old_[i], nullptr);
    sigaction(SIGXFSZ, &old_.back(), nullptr);
  }
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

 private:
  static constexpr std::array<int, 3> kTaken{SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, kTaken.size() + 1> old_{};
};

struct Interrupted {};

void import_with_progress(data::SampleSource& source, const data::ImportTarget& target) {
  const SignalGuard guard;
  if (target.path.has_parent_path()) make_folders(target.path.parent_path());
  const std::int64_t total = source.shape().num_samples;
  const Stopwatch watch;
  std::optional<Progress> writing;
  std::optional<Progress> checking;
  const auto count =
      [total](std::optional<Progress>& progress, const char* label, std::int64_t amount) {
        if (g_signal != 0) throw Interrupted();
        if (!progress) progress.emplace(label, total, "images");
        progress->advance(amount);
      };
  const data::DatasetInfo info = data::import_samples(
      source,
      target,
      [&](std::int64_t amount) { count(writing, "writing", amount); },
      [&](std::int64_t amount) {
        if (writing) writing->finish();
        count(checking, "verifying", amount);
      });
  if (checking) checking->finish();
  std::printf(
      "%s\n",
      format("wrote {}: {} images of {} x {} x {}, {} classes, {}, read back and verified, {}",
             info.path.string(),
             info.num_samples,
             info.height,
             info.width,
             info.channels,
             info.classes.size(),
             bytes_text(static_cast<double>(std::filesystem::file_size(info.path))),
             duration_text(watch.elapsed_s()))
          .c_str());
}

data::ImportTarget target_of(const Flags& flags) {
  data::ImportTarget target;
  target.path = flags.required_text("--out");
  target.split = flags.text("--split");
  target.force = flags.has("--force");
  return target;
}

std::vector<Flag> with_target_flags(std::vector<Flag> flags) {
  flags.push_back({"--out", "FILE.h5", "the file to write; must not exist"});
  flags.push_back({"--split", "NAME", "kept in the file: train, test, ..."});
  flags.push_back({"--force", "", "replace a file that is there"});
  return flags;
}

int prepare_idx(Arguments arguments) {
  const FlagTable table{
      "lockstep prepare idx IMAGES LABELS --out FILE.h5 [flags]",
      "Reads MNIST's idx files, plain or gzip, and writes them as one data file.",
      with_target_flags({{"--classes",
                          "A,B,C",
                          "names of the classes, in order; else \"0\" to the largest label"}})};
  const Flags flags(table, arguments);
  if (flags.help()) {
    std::fputs(help_text(table).c_str(), stdout);
    return 0;
  }
  if (flags.positional().size() != 2) {
    throw usage_error(format("two files are needed, images and labels (usage: {})", table.usage));
  }
  const data::ImportTarget target = target_of(flags);
  const auto source =
      data::open_idx(flags.positional()[0], flags.positional()[1], flags.list("--classes"));
  import_with_progress(*source, target);
  return 0;
}

int prepare_synthetic(Arguments arguments) {
  const FlagTable table{
      "lockstep prepare synthetic --out FILE.h5 --num-samples N [flags]",
      "Writes seeded images whose class (one lit cell of a grid) or boxes (rectangles) can be "
      "read\n"
      "off exactly. The same flags give the same bytes.",
      with_target_flags({{"--num-samples", "N", "how many images"},
                         {"--image-size", "S", "pixels a side (32)"},
                         {"--classes", "K", "how many classes (10)"},
                         {"--channels", "C", "1 or 3 (3)"},
                         {"--seed", "X", "seed of the random numbers (0)"},
                         {"--task", "TASK", "classification or detection (classification)"}})};
  const Flags flags(table, arguments);
  if (flags.help()) {
    std::fputs(help_text(table).c_str(), stdout);
    return 0;
  }
  if (!flags.positional().empty()) {
    throw usage_error(
        format("\"{}\" is one argument too many (usage: {})", flags.positional()[0], table.usage));
  }
  const data::ImportTarget target = target_of(flags);
  flags.required_text("--num-samples");
  data::SyntheticOptions options;
  options.num_samples = flags.whole("--num-samples", 0);
  options.image_size = flags.whole("--image-size", options.image_size);
  options.num_classes = flags.whole("--classes", options.num_classes);
  options.channels = flags.whole("--channels", options.channels);
  options.seed = static_cast<std::uint64_t>(flags.whole("--seed", 0));
  const std::string task = flags.text("--task", "classification");
  if (task != "classification" && task != "detection") {
    throw usage_error(format("--task {} is neither classification nor detection", task));
  }
  options.detection = task == "detection";
  import_with_progress(*data::make_synthetic(options), target);
  return 0;
}

[[noreturn]] void refuse_kind(const std::string& kind) {
  for (const std::string& later : kLaterKinds) {
    if (kind == later) {
      throw usage_error(
          format("lockstep prepare {} is not in this version: idx and synthetic are", kind));
    }
  }
  const std::string near = nearest_word(kind, kKinds);
  throw usage_error(format(
      "lockstep prepare does not know \"{}\"{}",
      kind,
      near.empty() ? ": idx and synthetic are the kinds" : format(": did you mean {}?", near)));
}

int run_kind(const std::string& kind, Arguments arguments) {
  if (kind == "idx") return prepare_idx(arguments);
  if (kind == "synthetic") return prepare_synthetic(arguments);
  refuse_kind(kind);
}

}  // namespace

int run_prepare(Arguments arguments) {
  if (arguments.empty()) {
    throw usage_error("lockstep prepare needs a kind: idx or synthetic (see --help)");
  }
  if (arguments[0] == "--help" || arguments[0] == "-h") {
    std::fputs(kHelp, stdout);
    return 0;
  }
  try {
    return run_kind(arguments[0], arguments.subspan(1));
  } catch (const Interrupted&) {
    // The temporary file is gone: now end as the signal asks.
    std::raise(g_signal);
  }
  return static_cast<int>(ExitCode::kIo);
}

}  // namespace lockstep::apps
