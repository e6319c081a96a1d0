// The names of a file: the way to a data set without leaving the file, and what there is. Knows
// nothing of storage.
#pragma once

#include "hdf5_session.h"

#include <filesystem>
#include <string>
#include <vector>

namespace lockstep::data {

// Walks every link on the way to `key`. Throws: Error(kBadData) naming file and key: missing, links
// that leave the file, soft links that go round in a circle.
void check_links(const Hdf5Session& session,
                 hid_t file,
                 const std::filesystem::path& path,
                 const std::string& key);

// Whether there is a link of this path, of any kind; what it points to may be missing.
bool has_link(const Hdf5Session& session, hid_t file, const std::string& key);

// Paths of the data sets that hard links reach, each once, in the order of their names; at most
// `limit`. Throws: Error(kBadData).
std::vector<std::string> data_set_names(const Hdf5Session& session,
                                        hid_t file,
                                        const std::filesystem::path& path,
                                        std::size_t limit);

}  // namespace lockstep::data
