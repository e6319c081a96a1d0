// Reads and checks everything of a file but its pixels.
#pragma once

#include "file_dataset.h"
#include "schema.h"

namespace lockstep::data {

struct OpenTables {
  FileTables tables;
  StoredArray images;
};

// Throws: Error(kBadData) naming file, key and, for labels and boxes, the sample.
OpenTables read_tables(const Hdf5Session& session,
                       hid_t file,
                       const std::filesystem::path& path,
                       const Options& options);

}  // namespace lockstep::data
