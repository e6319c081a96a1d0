// lockstep prepare: images in other formats, or made up, become one data file.
#include "commands.h"
#include "flags.h"
#include "prepare_images.h"
#include "prepare_import.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/data/import.h>

#include <csignal>
#include <cstdio>
#include <map>

namespace lockstep::apps {
namespace {

const char* const kHelp =
    "usage: lockstep prepare KIND SOURCE... --out FILE.h5 [flags]\n\n"
    "Writes a data file that lockstep train and eval read. It is written beside its final name,\n"
    "flushed, read back and compared, and only then renamed: a file that is there is whole.\n\n"
    "  idx IMAGES LABELS                MNIST's idx files, plain or gzip\n"
    "  cifar FOLDER|FILE.bin...         CIFAR-10 and CIFAR-100, binary version\n"
    "  image-folder FOLDER              JPEG and PNG files, one folder a class\n"
    "  coco ANNOTATIONS.json FOLDER     COCO's boxes and pictures\n"
    "  voc FOLDER                       Pascal VOC's boxes and pictures\n"
    "  synthetic                        seeded images with exact labels or boxes\n"
    "  repack FILE.h5                   any file that can be read, stored anew\n\n"
    "lockstep prepare KIND --help lists the flags of a kind.\n";

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

int run_kind(const std::string& kind, Arguments arguments) {
  static const std::map<std::string, int (*)(Arguments)> kKinds{
      {"cifar", prepare_cifar},
      {"coco", prepare_coco},
      {"idx", prepare_idx},
      {"image-folder", prepare_image_folder},
      {"repack", run_prepare_repack},
      {"synthetic", prepare_synthetic},
      {"voc", prepare_voc},
  };
  const auto found = kKinds.find(kind);
  if (found != kKinds.end()) return found->second(arguments);
  std::vector<std::string> names;
  for (const auto& [name, function] : kKinds) names.push_back(name);
  const std::string near = nearest_word(kind, names);
  throw usage_error(
      format("lockstep prepare does not know \"{}\"{}",
             kind,
             near.empty() ? " (see --help for the kinds)" : format(": did you mean {}?", near)));
}

}  // namespace

int run_prepare(Arguments arguments) {
  if (arguments.empty()) {
    throw usage_error("lockstep prepare needs a kind: idx, coco, ... (see --help)");
  }
  if (arguments[0] == "--help" || arguments[0] == "-h") {
    std::fputs(kHelp, stdout);
    return 0;
  }
  try {
    return run_kind(arguments[0], arguments.subspan(1));
  } catch (const Interrupted& interrupted) {
    // The temporary file is gone: now end as the signal asks.
    std::raise(interrupted.signal);
  }
  return static_cast<int>(ExitCode::kIo);
}

}  // namespace lockstep::apps
