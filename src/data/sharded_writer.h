// A data set of several files being written: samples in order, file after file, and last of all the
// manifest that makes them one. Nothing has its name before all of it is verified.
#pragma once

#include "file_writer.h"

#include <cstdint>
#include <functional>
#include <list>

namespace lockstep::data {

class ShardedWriter {
 public:
  // Requires: options.num_shards is at least 1, options.path ends in .json. Throws: as Writer.
  explicit ShardedWriter(const WriterOptions& options);
  ~ShardedWriter();
  ShardedWriter(const ShardedWriter&) = delete;
  ShardedWriter& operator=(const ShardedWriter&) = delete;

  // File k of K takes samples k * N / K to (k + 1) * N / K - 1 of the N that were announced; when
  // fewer come, the last files are short or fall away.
  void add(const Sample& sample);
  DatasetInfo finish(const std::function<void(std::int64_t)>& progress);

 private:
  std::int64_t begin_of(std::int64_t shard) const;
  void open_next();
  DatasetInfo describe() const;
  // Completes `info` with the digest of all.
  void publish(DatasetInfo& info);

  WriterOptions options_;
  std::list<FileWriter> shards_;
  std::int64_t num_added_ = 0;
};

}  // namespace lockstep::data
