// The first parse of a file in a process of its own: what makes the HDF5 library crash, hang or eat
// memory ends that process and not the one that trains. The programs do this by themselves; who
// opens files of others through the library calls probe_file() first:
//
//   data::probe_file("/opt/lockstep/bin/lockstep", path, options);  // before MPI is opened
//   const auto world = comm::open_world();
//   const auto dataset = data::open_dataset(path, options);
#pragma once

#include <lockstep/data/options.h>

#include <cstdint>
#include <filesystem>

namespace lockstep::data {

struct ProbeLimits {
  std::int64_t memory_bytes = std::int64_t{4} << 30;  // beside what the process has at the start
  std::int64_t cpu_s = 60;
  std::int64_t wall_s = 180;
};

// In the process that may die: takes the limits upon itself for good, then opens the file and
// checks everything that open_dataset checks. Throws: as open_dataset.
void probe_here(const std::filesystem::path& path,
                const Options& options,
                const ProbeLimits& limits = {});

// Runs `program inspect --probe PATH` with the keys of `options` unless this version of the file
// (inode, size, time of change), or of all files of a manifest, has passed before; passes are kept
// in $XDG_CACHE_HOME/lockstep or ~/.cache/lockstep, and a cache that cannot be used costs only
// time. `program` is the installed `lockstep`. Does nothing for a path without a file: opening it
// says more. Requires: MPI is not open yet; some of its transports do not survive a child.
// Throws: Error(kBadData) with the child's reason, or naming the file and how its parser died;
// Error(kIo) with the child's reason. Blocks: until the child has ended.
void probe_file(const std::filesystem::path& program,
                const std::filesystem::path& path,
                const Options& options);

}  // namespace lockstep::data
