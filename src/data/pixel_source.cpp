#include "pixel_source.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace lockstep::data {
namespace {

class LibrarySource final : public PixelSource {
 public:
  LibrarySource(const std::filesystem::path& path, Hid file, StoredArray array)
      : path_(path), file_(std::move(file)), array_(std::move(array)) {}

  ~LibrarySource() override {
    const Hdf5Session session;
    array_.dataset.close();
    file_.close();
  }

  void read(std::int64_t index, std::span<std::byte> out) const override {
    const Hdf5Session session;
    std::vector<hsize_t> start(array_.shape.size(), 0);
    std::vector<hsize_t> count(array_.shape.begin(), array_.shape.end());
    start[0] = static_cast<hsize_t>(index);
    count[0] = 1;
    const hsize_t bytes = out.size();
    const Hid memory(H5Screate_simple(1, &bytes, nullptr), H5Sclose);
    const Hid space(H5Dget_space(array_.dataset.get()), H5Sclose);
    if (!space || !memory ||
        H5Sselect_hyperslab(
            space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr) < 0 ||
        H5Dread(array_.dataset.get(),
                H5T_NATIVE_UINT8,
                memory.get(),
                space.get(),
                H5P_DEFAULT,
                out.data()) < 0) {
      throw data_error(format("{}: sample {} of data set \"{}\" cannot be read ({})",
                              path_.string(),
                              index,
                              array_.key,
                              hdf5_reason(session)));
    }
  }

  std::string place(std::int64_t) const override {
    return format("{} data set \"{}\"", array_.layout, array_.key);
  }

  // As the reader that does without the library says, so that both have one order.
  std::int64_t samples_per_chunk() const override {
    if (array_.chunk.empty()) return 1;
    const bool whole_samples =
        std::equal(array_.chunk.begin() + 1, array_.chunk.end(), array_.shape.begin() + 1);
    const bool plain = array_.steps.empty() && array_.library_only.empty();
    return whole_samples && plain ? 1 : static_cast<std::int64_t>(array_.chunk[0]);
  }

 private:
  std::filesystem::path path_;
  Hid file_;
  StoredArray array_;
};

}  // namespace

std::unique_ptr<PixelSource> make_library_source(const std::filesystem::path& path,
                                                 Hid file,
                                                 StoredArray array) {
  return std::make_unique<LibrarySource>(path, std::move(file), std::move(array));
}

}  // namespace lockstep::data
