// Data sets that the HDF5 library reads, of which only so many are open at a time: a data set of
// ours may have more files than a process may open.
#pragma once

#include "hdf5_session.h"
#include "stored_array.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <list>
#include <string>
#include <vector>

namespace lockstep::data {

// Guarded by the library's lock: every function takes it as a witness.
class LibraryPool {
 public:
  explicit LibraryPool(std::size_t max_open);
  LibraryPool(const LibraryPool&) = delete;
  LibraryPool& operator=(const LibraryPool&) = delete;
  ~LibraryPool();

  // The number of the data set. Takes over the file and array.dataset.
  std::size_t add(const Hdf5Session& session,
                  const std::filesystem::path& path,
                  StoredArray& array,
                  Hid file);
  // Open as long as the session is held; was closed in between when others were wanted.
  // Throws: as open_hdf5 and open_array; Error(kBadData) when it has another shape by now.
  hid_t dataset(const Hdf5Session& session, std::size_t number);

  std::size_t num_open() const { return by_age_.size(); }

 private:
  struct Entry {
    std::filesystem::path path;
    std::string key;
    std::vector<std::uint64_t> shape;
    Hid file;
    Hid dataset;
    std::list<std::size_t>::iterator age;
  };
  void opened(std::size_t number);

  std::size_t max_open_;
  std::vector<Entry> entries_;
  std::list<std::size_t> by_age_;  // of those that are open, the most recently used first
};

}  // namespace lockstep::data
