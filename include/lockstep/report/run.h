// One run directory as read from the disk: the records of its ranks and what else it says about
// itself. What is missing or damaged is named, not fatal, as long as one rank can be read.
#pragma once

#include <lockstep/records/schema.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lockstep::report {

// A rank's steps of the last stretch of the run that had one world size. All ranks of a RunData
// hold the same step numbers, and only numbers that are finite and wall times above 0.
struct RankRun {
  records::RankHeader header;
  std::vector<records::StepRecord> steps;  // `step` rises strictly; at least one
};

struct RunData {
  std::filesystem::path path;
  std::string name;  // the last part of the path
  std::int64_t world_size = 1;
  std::vector<RankRun> ranks;               // by rank; those that could be read
  std::vector<std::int64_t> missing_ranks;  // no file, or none that can be read
  std::optional<records::RunResult> result;
  std::map<std::string, std::string> settings;  // config.resolved.ini: "section.key" to value
  std::string environment_json;                 // environment.json as it stands; empty without
  // Sentences that name each file that is missing, cut or damaged, and what was left out.
  std::vector<std::string> notes;
};

// Throws: Error(kBadData) naming the folder when no rank record in it can be used or the
// ranks have no step in common.
RunData read_run(const std::filesystem::path& folder);

}  // namespace lockstep::report
