// Writes record lines: each one write(2) at the end of its step, append-only. Once a file is open
// nothing is thrown into the step: the first failure warns once and ends the writing.
#pragma once

#include <lockstep/base/file.h>
#include <lockstep/records/schema.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace lockstep::records {

class JsonLine;

// An append-only file of whole lines.
// Thread: one thread at a time.
class LineFile {
 public:
  // Creates the file where it is missing and appends to what is there, less a cut last line.
  // Throws: Error(kIo) naming the path.
  explicit LineFile(std::filesystem::path path);

  // `line` ends with a newline. A line that does not fit (disk full) is taken back, so that the
  // file holds whole lines only. False when it was not written: now, or after an earlier failure.
  bool append(std::string_view line) noexcept;
  bool failed() const { return failed_; }

 private:
  void give_up(int reason) noexcept;

  std::filesystem::path path_;
  FileHandle file_;
  bool failed_ = false;
};

// The ledger of one rank. No allocation after construction.
// Thread: one thread at a time.
class RankWriter {
 public:
  // Writes the header at once; to a file that holds steps already it is added behind them.
  // Requires: the parent folder exists. Throws: Error(kIo).
  RankWriter(const std::filesystem::path& path, const RankHeader& header);
  ~RankWriter();
  RankWriter(const RankWriter&) = delete;
  RankWriter& operator=(const RankWriter&) = delete;

  bool write(const StepRecord& record) noexcept;

 private:
  LineFile file_;
  std::unique_ptr<JsonLine> line_;
};

// metrics.jsonl. No allocation after construction while lines stay below 4 KiB.
// Thread: one thread at a time.
class MetricsWriter {
 public:
  // Requires: the parent folder exists. Throws: Error(kIo).
  explicit MetricsWriter(const std::filesystem::path& path);
  ~MetricsWriter();
  MetricsWriter(const MetricsWriter&) = delete;
  MetricsWriter& operator=(const MetricsWriter&) = delete;

  bool write(const MetricsRecord& record) noexcept;

 private:
  LineFile file_;
  std::unique_ptr<JsonLine> line_;
};

// Replaces `path` in one piece. Throws: Error(kIo).
void write_result(const std::filesystem::path& path, const RunResult& result);

// "rank_00012.jsonl"
std::string rank_file_name(std::int64_t rank);

}  // namespace lockstep::records
