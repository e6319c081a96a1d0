// A read-only HDF5 file driver that notes where raw data lies instead of reading it: the way to a
// chunk index through the library's public calls. Knows nothing of data sets.
#pragma once

#include "hdf5_session.h"

#include <cstdint>
#include <filesystem>

namespace lockstep::data {

struct RawRead {
  std::uint64_t offset_bytes = 0;  // in the file
  std::uint64_t size_bytes = 0;
  int count = 0;  // reads since reset()
};

// While one lives, raw data of files that open_recording() opened is not read but noted; the
// library's buffers stay untouched. Metadata is read as ever. Not nested.
class RecordingScope {
 public:
  explicit RecordingScope(const Hdf5Session& session);
  ~RecordingScope();
  RecordingScope(const RecordingScope&) = delete;
  RecordingScope& operator=(const RecordingScope&) = delete;

  void reset() { last_ = {}; }
  const RawRead& last() const { return last_; }

 private:
  RawRead last_;
};

// Throws: Error(kIo), Error(kBadData).
Hid open_recording(const Hdf5Session& session, const std::filesystem::path& path);

}  // namespace lockstep::data
