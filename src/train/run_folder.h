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

  // Makes the tree and the files known at start. Collective. Throws: AgreedError(kIo).
  void create(const data::Dataset& train, const data::Dataset* val);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path rank_file() const;  // ranks/rank_00000.jsonl of this rank

 private:
  std::string environment_json(const data::Dataset& train, const data::Dataset* val);

  Job& job_;
  std::filesystem::path path_;
};

}  // namespace lockstep::train
