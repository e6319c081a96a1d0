// One data set inside an HDF5 file: where and how it is stored, and what must be refused before a
// byte of it is read. Knows nothing of images or labels.
#pragma once

#include "hdf5_session.h"

#include <lockstep/data/inspect.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lockstep::data {

struct StoredArray : ArrayInfo {
  Hid dataset;
};

// Throws: Error(kBadData) naming file and key: missing, links that leave the file, external
// storage, virtual layout, sizes that overflow, data that ends past the end of the file, unknown
// filters.
StoredArray open_array(const Hdf5Session& session,
                       hid_t file,
                       const std::filesystem::path& path,
                       const std::string& key);

// Whether the root group has a link of this name (of any kind).
bool has_array(const Hdf5Session& session, hid_t file, const std::string& key);

// The whole data set, converted to T. Throws: Error(kBadData).
template <class T>
std::vector<T> read_array(const Hdf5Session& session,
                          const StoredArray& array,
                          const std::filesystem::path& path);

}  // namespace lockstep::data
