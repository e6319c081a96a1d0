// Reads what writer.h wrote: tolerant to a last line that a crash cut off, strict on everything
// else. Every failure names the file and, where there is one, the line.
#pragma once

#include <lockstep/records/schema.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace lockstep::records {

// A stretch of steps under one header; a run that was never resumed has one.
struct RankSegment {
  RankHeader header;
  std::vector<StepRecord> steps;
};

struct RankFile {
  std::vector<RankSegment> segments;  // at least one
  bool last_line_cut = false;         // what could be read of it is left out

  const RankHeader& header() const { return segments.back().header; }
};

struct MetricsFile {
  std::vector<MetricsRecord> lines;
  bool last_line_cut = false;
};

// null in a number becomes NaN. Throws: Error(kIo) when the file cannot be read; Error(kBadData)
// for a missing header, another schema version, a missing or mistyped key, a negative time or
// count, a step that does not rise, and a malformed line that is not the last.
RankFile read_rank_file(const std::filesystem::path& path);

// Throws: as read_rank_file.
MetricsFile read_metrics_file(const std::filesystem::path& path);

// Throws: Error(kIo), Error(kBadData).
RunResult read_result(const std::filesystem::path& path);

// Cuts a rank or metrics file back to `last_step` for a resume: the first line of a later step, all
// that follows and a cut last line go. A missing file is left missing. Returns the bytes cut off.
// Throws: Error(kIo), Error(kBadData).
std::uint64_t cut_back(const std::filesystem::path& path, std::int64_t last_step);

}  // namespace lockstep::records
