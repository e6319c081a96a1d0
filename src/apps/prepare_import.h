// What every kind of `lockstep prepare` shares: where to write, progress, signals and the closing
// lines. Knows nothing of the kinds.
#pragma once

#include "flags.h"

#include <lockstep/data/import.h>

#include <vector>

namespace lockstep::apps {

// A signal ended the work and nothing was left behind: the program is to end as the signal asks.
struct Interrupted {
  int signal = 0;
};

// --out, --split, --shards and --force after the flags of a kind.
std::vector<Flag> with_target_flags(std::vector<Flag> flags);

// Throws: Error(kUsage).
data::ImportTarget target_of(const Flags& flags);

// Writes all samples of the source, with progress, and prints what was left out and what was
// written. Throws: as data::import_samples; Interrupted after SIGINT, SIGTERM or SIGHUP.
void import_with_progress(data::SampleSource& source, const data::ImportTarget& target);

}  // namespace lockstep::apps
