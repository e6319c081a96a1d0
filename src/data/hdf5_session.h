// The door to the HDF5 library: one process-wide lock around every call, no plugins, no output of
// its own, and its error stack as one line of text. Knows nothing of data sets.
#pragma once

#include <hdf5.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace lockstep::data {

// Holds the lock; every function that calls HDF5 takes one as a witness..
class Hdf5Session {
 public:
  Hdf5Session();
  Hdf5Session(const Hdf5Session&) = delete;
  Hdf5Session& operator=(const Hdf5Session&) = delete;

 private:
  std::unique_lock<std::recursive_mutex> lock_;
};

// Owns an HDF5 identifier. Requires: a session is held when it is closed.
class Hid {
 public:
  using Closer = herr_t (*)(hid_t);
  Hid() = default;
  Hid(hid_t id, Closer closer) : id_(id), closer_(closer) {}
  Hid(Hid&& other) noexcept : id_(std::exchange(other.id_, -1)), closer_(other.closer_) {}
  Hid& operator=(Hid&& other) noexcept;
  Hid(const Hid&) = delete;
  Hid& operator=(const Hid&) = delete;
  ~Hid() { close(); }

  hid_t get() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }
  // False when HDF5 reports a failure, for example a flush that did not reach the disk.
  bool close();

 private:
  hid_t id_ = -1;
  Closer closer_ = nullptr;
};

// The innermost reason of the last failed call; an operating system's message where there is one.
std::string hdf5_reason(const Hdf5Session& session);

// Opens for reading, without file locks and without following links to other files.
// Throws: Error(kIo) when the file cannot be opened, Error(kBadData) when it is empty or not HDF5.
Hid open_hdf5(const Hdf5Session& session, const std::filesystem::path& path);

// Attributes of the root group that are whole numbers, lists of numbers or texts.
using AttributeValue = std::variant<std::int64_t, std::vector<double>, std::string>;
using Attributes = std::map<std::string, AttributeValue>;

// Attributes of other types are left out. Throws: Error(kBadData) when one cannot be read, is over
// 64 KiB (`classes`: 4 MiB), or there are more than 1,024.
Attributes read_attributes(const Hdf5Session& session,
                           hid_t file,
                           const std::filesystem::path& path);
// Throws: Error(kIo).
void write_attribute(const Hdf5Session& session,
                     hid_t file,
                     const std::filesystem::path& path,
                     const std::string& name,
                     const AttributeValue& value);

}  // namespace lockstep::data
