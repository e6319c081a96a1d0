// lockstep prepare repack: any data set that can be read, in lockstep's own format.
#include "commands.h"
#include "flags.h"
#include "prepare_import.h"
#include "probe_input.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <cstdio>

namespace lockstep::apps {

int run_prepare_repack(Arguments arguments) {
  const FlagTable table{
      "lockstep prepare repack IN --out FILE.h5 [flags]",
      "Reads a data set (one of lockstep's, a manifest, or a foreign HDF5 file with any chunks "
      "and\n"
      "built-in filters) and writes it in lockstep's format: contiguous, with checksums.",
      with_target_flags({{"--deflate", "", "compress: chunks of one image, deflated"},
                         {"--image-key", "NAME", "image data set of a foreign file (images)"},
                         {"--label-key", "NAME", "label data set of a foreign file (label)"}})};
  const Flags flags(table, arguments);
  if (flags.help()) {
    std::fputs(help_text(table).c_str(), stdout);
    return 0;
  }
  if (flags.positional().size() != 1) {
    throw usage_error(format("one data set is needed (usage: {})", table.usage));
  }
  const data::ImportTarget target = target_of(flags);
  data::Options options;
  options.image_key = flags.text("--image-key", options.image_key);
  options.label_key = flags.text("--label-key", options.label_key);
  probe_input(flags.positional()[0], options);
  const auto source = data::open_repack(flags.positional()[0], options, flags.has("--deflate"));
  import_with_progress(*source, target);
  return 0;
}

}  // namespace lockstep::apps
