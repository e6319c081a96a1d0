#include "library_pool.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <utility>

namespace lockstep::data {

LibraryPool::LibraryPool(std::size_t max_open) : max_open_(max_open) {
  LOCKSTEP_CHECK(max_open >= 1, "a file must be open to be read");
}

LibraryPool::~LibraryPool() {
  const Hdf5Session session;
  entries_.clear();
}

std::size_t LibraryPool::add(const Hdf5Session&,
                             const std::filesystem::path& path,
                             StoredArray& array,
                             Hid file) {
  entries_.push_back({path, array.key, array.shape, std::move(file), std::move(array.dataset), {}});
  opened(entries_.size() - 1);
  return entries_.size() - 1;
}

hid_t LibraryPool::dataset(const Hdf5Session& session, std::size_t number) {
  Entry& entry = entries_[number];
  if (entry.dataset) {
    by_age_.splice(by_age_.begin(), by_age_, entry.age);
    return entry.dataset.get();
  }
  Hid file = open_hdf5(session, entry.path);
  StoredArray array = open_array(session, file.get(), entry.path, entry.key);
  if (array.shape != entry.shape) {
    throw data_error(
        format("{}: data set \"{}\" has another shape than when it was opened: the "
               "file was changed",
               entry.path.string(),
               entry.key));
  }
  entry.file = std::move(file);
  entry.dataset = std::move(array.dataset);
  opened(number);
  return entry.dataset.get();
}

void LibraryPool::opened(std::size_t number) {
  by_age_.push_front(number);
  entries_[number].age = by_age_.begin();
  if (by_age_.size() <= max_open_) return;
  Entry& oldest = entries_[by_age_.back()];
  by_age_.pop_back();
  oldest.dataset.close();
  oldest.file.close();
}

}  // namespace lockstep::data
