// One data file being written: under a temporary name, streaming, verified before it gets its name.
// What stays in memory is the tables: 20 to 40 bytes a sample. Knows nothing of shards.
#pragma once

#include "image_writer.h"
#include "pixel_statistics.h"
#include "table_writer.h"

#include <lockstep/data/writer.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <string>

namespace lockstep::data {

class FileWriter {
 public:
  // `first_sample` is the number of this file's first sample in the whole data set, for messages.
  // Throws: as Writer.
  explicit FileWriter(const WriterOptions& options, std::int64_t first_sample = 0);
  // Removes the temporary file unless publish() was reached.
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  // Throws: as Writer::add.
  void add(const Sample& sample);
  // Writes tables and attributes, closes and flushes to the disk. Throws: Error(kIo).
  const DatasetInfo& close();
  // Reads every byte back and compares it. Throws: Error(kIo) when it is not what was written.
  void verify(const std::function<void(std::int64_t)>& progress) const;
  // Gives the file its name. Throws: Error(kIo).
  void publish(const std::filesystem::path& path);

  std::int64_t num_added() const { return num_added_; }
  const PixelStatistics& statistics() const { return statistics_; }
  // Both after close().
  const DatasetInfo& info() const { return info_; }
  std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  bool detection() const { return options_.task == "detection"; }
  bool uniform() const { return options_.encoding == "raw" && options_.height > 0; }
  void make_tables(const Hdf5Session& session);
  TableWriter* make_table(const Hdf5Session& session,
                          const char* key,
                          hid_t element,
                          hsize_t columns = 1);
  void make_images(const Hdf5Session& session);
  void reserve_space() const;
  void check(const Sample& sample) const;
  void check_class(std::int64_t name) const;
  void write_images(const Hdf5Session& session);
  void write_attributes(const Hdf5Session& session);
  void describe();
  void discard();

  WriterOptions options_;
  std::int64_t first_sample_;
  std::filesystem::path temporary_;
  PixelStatistics statistics_;
  Sha256 hash_;
  DatasetInfo info_;
  Hid hdf5_file_;
  FileHandle file_;
  std::unique_ptr<ImageWriter> images_;
  std::list<TableWriter> tables_;  // a list: the pointers below stay valid
  TableWriter* image_offset_ = nullptr;
  TableWriter* image_size_ = nullptr;
  TableWriter* label_ = nullptr;
  TableWriter* box_ = nullptr;
  TableWriter* box_class_ = nullptr;
  TableWriter* box_area_ = nullptr;
  TableWriter* box_crowd_ = nullptr;
  TableWriter* box_offset_ = nullptr;
  TableWriter* sample_id_ = nullptr;
  TableWriter* sample_crc_ = nullptr;
  std::int64_t num_added_ = 0;
  std::uint64_t image_bytes_ = 0;
  std::uint64_t size_bytes_ = 0;
  bool published_ = false;
};

}  // namespace lockstep::data
