// The run directory: made once, only when it is new or empty, and only after everything that may
// refuse the run has passed, so that a refused run leaves nothing behind.
#pragma once

#include <lockstep/data/dataset.h>
#include <lockstep/train/run.h>

#include <filesystem>

namespace lockstep::train {

class RunFolder {
 public:
  // Decides on the path (rank 0's clock names it when run.dir is empty) and checks that it can be
  // used. Collective. Throws: AgreedError(kIo) on all ranks: not empty, or not writable.
  explicit RunFolder(Job& job);

  // Makes the tree and the files known at start, and opens this rank's log. When a rank cannot,
  // what was made goes again. Collective. Throws: AgreedError(kIo).
  void create(const data::Dataset& train, const data::Dataset* val);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path rank_file() const;  // ranks/rank_00000.jsonl of this rank

 private:
  void write_start_files(const std::string& environment) const;
  void open_log() const;
  void remove_what_was_made() const;

  Job& job_;
  std::filesystem::path path_;
  bool existed_ = false;  // an empty folder of the user's
};

}  // namespace lockstep::train
