// Lets a file be parsed for the first time in a process of its own, by this very program.
#pragma once

#include <lockstep/data/options.h>

#include <filesystem>

namespace lockstep::apps {

// Does nothing for an empty path, and where the front program is not beside this one.
// Throws: as data::probe_file. Blocks: until the child has ended.
void probe_input(const std::filesystem::path& path, const data::Options& options);

}  // namespace lockstep::apps
