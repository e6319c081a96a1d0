#include "prepare_images.h"

#include "flags.h"
#include "prepare_import.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/data/import_images.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <utility>

namespace lockstep::apps {
namespace {

using Source = std::unique_ptr<data::SampleSource>;

std::vector<Flag> with_image_flags(std::vector<Flag> flags) {
  flags.push_back(
      {"--encoding", "E", "raw: pixels; jpeg: JPEG files, bytes kept as they are (raw)"});
  flags.push_back({"--image-size", "N", "raw: every picture becomes N x N (each keeps its size)"});
  flags.push_back(
      {"--max-side", "N", "jpeg: pictures with a longer side are encoded again, smaller"});
  flags.push_back({"--quality", "Q", "of what is encoded, 1 to 100 (90)"});
  flags.push_back({"--channels", "C", "1 or 3; grey pictures get three equal ones (3)"});
  flags.push_back(
      {"--on-broken", "P", "error, or skip: leave broken pictures out and list them (error)"});
  flags.push_back({"--threads", "N", "threads that decode (one a core)"});
  return with_target_flags(std::move(flags));
}

data::ImageImportOptions image_options(const Flags& flags) {
  data::ImageImportOptions options;
  options.encoding = flags.text("--encoding", options.encoding);
  options.image_size = flags.whole("--image-size", 0);
  options.max_side = flags.whole("--max-side", 0);
  options.quality =
      static_cast<int>(std::clamp<std::int64_t>(flags.whole("--quality", options.quality), 0, 101));
  options.channels =
      static_cast<std::int32_t>(std::clamp<std::int64_t>(flags.whole("--channels", 3), 0, 4));
  options.num_threads = flags.whole("--threads", 0);
  const std::string policy = flags.text("--on-broken", "error");
  if (policy != "error" && policy != "skip") {
    throw usage_error(format("--on-broken {} is neither error nor skip", policy));
  }
  options.on_broken = policy == "skip" ? data::BrokenImages::kSkip : data::BrokenImages::kError;
  return options;
}

// What all kinds do: help, the number of sources, and the import itself.
int run(const FlagTable& table,
        Arguments arguments,
        std::size_t min_sources,
        std::size_t max_sources,
        const std::function<Source(const Flags&)>& open) {
  const Flags flags(table, arguments);
  if (flags.help()) {
    std::fputs(help_text(table).c_str(), stdout);
    return 0;
  }
  const std::size_t given = flags.positional().size();
  if (given < min_sources || given > max_sources) {
    throw usage_error(format("{} sources are given (usage: {})", given, table.usage));
  }
  const data::ImportTarget target = target_of(flags);
  const Source source = open(flags);
  import_with_progress(*source, target);
  return 0;
}

}  // namespace

int prepare_cifar(Arguments arguments) {
  const FlagTable table{
      "lockstep prepare cifar FOLDER|FILE.bin... --out FILE.h5 [flags]",
      "Reads the binary version of CIFAR-10 or CIFAR-100: the unpacked folder (--split train or\n"
      "test, train unless said), or .bin files in the order that they are given.",
      with_target_flags({{"--num-classes", "K", "10 or 100 (found out by names and sizes)"},
                         {"--coarse", "", "CIFAR-100: the 20 coarse labels"},
                         {"--classes", "A,B,C", "names of the classes (the list in the folder)"}})};
  return run(table, arguments, 1, 1000, [](const Flags& flags) {
    data::CifarOptions options;
    options.split = flags.text("--split", options.split);
    options.num_classes = flags.whole("--num-classes", 0);
    options.coarse = flags.has("--coarse");
    options.classes = flags.list("--classes");
    const auto& sources = flags.positional();
    return data::open_cifar({sources.begin(), sources.end()}, options);
  });
}

int prepare_image_folder(Arguments arguments) {
  const FlagTable table{
      "lockstep prepare image-folder FOLDER --out FILE.h5 [flags]",
      "Reads JPEG and PNG files below one folder a class; classes are the folders' names, sorted.\n"
      "With --image-size the shorter side is resized to N and the centre cut out.",
      with_image_flags({})};
  return run(table, arguments, 1, 1, [](const Flags& flags) {
    return data::open_image_folder(flags.positional()[0], image_options(flags));
  });
}

int prepare_coco(Arguments arguments) {
  const FlagTable table{
      "lockstep prepare coco ANNOTATIONS.json FOLDER --out FILE.h5 [flags]",
      "Reads COCO's annotation file and the folder of its pictures. Classes are the categories in\n"
      "the order of their ids, a sample's id is that of its image. With --image-size the longer\n"
      "side is resized to N and the rest is black.",
      with_image_flags({})};
  return run(table, arguments, 2, 2, [](const Flags& flags) {
    return data::open_coco(flags.positional()[0], flags.positional()[1], image_options(flags));
  });
}

int prepare_voc(Arguments arguments) {
  const FlagTable table{
      "lockstep prepare voc FOLDER --out FILE.h5 [flags]",
      "Reads a folder in the form of Pascal VOC: Annotations/*.xml, JPEGImages, and with --split\n"
      "NAME the pictures that ImageSets/Main/NAME.txt lists. With --image-size the longer side is\n"
      "resized to N and the rest is black.",
      with_image_flags({{"--classes", "A,B,C", "their names (those in all annotations, sorted)"}})};
  return run(table, arguments, 1, 1, [](const Flags& flags) {
    return data::open_voc(flags.positional()[0],
                          flags.text("--split"),
                          flags.list("--classes"),
                          image_options(flags));
  });
}

}  // namespace lockstep::apps
