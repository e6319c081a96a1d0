#include "pixel_source.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <utility>
#include <vector>

namespace lockstep::data {
namespace {

class PositionalSource final : public PixelSource {
 public:
  PositionalSource(const std::filesystem::path& path, const ArrayInfo& array)
      : path_(path),
        file_(open_for_reading(path)),
        offset_bytes_(array.offset_bytes),
        sample_bytes_(array.size_bytes / array.shape[0]) {}

  void read(std::int64_t index, std::span<std::byte> out) const override {
    read_exactly(file_, path_, begin(index), out);
  }

  std::string place(std::int64_t index) const override {
    return format("bytes {} to {}", begin(index), begin(index) + sample_bytes_ - 1);
  }

 private:
  std::uint64_t begin(std::int64_t index) const {
    return offset_bytes_ + static_cast<std::uint64_t>(index) * sample_bytes_;
  }

  std::filesystem::path path_;
  FileHandle file_;
  std::uint64_t offset_bytes_;
  std::uint64_t sample_bytes_;
};

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

 private:
  std::filesystem::path path_;
  Hid file_;
  StoredArray array_;
};

}  // namespace

std::unique_ptr<PixelSource> make_positional_source(const std::filesystem::path& path,
                                                    const ArrayInfo& array) {
  LOCKSTEP_CHECK(array.contiguous() && !array.shape.empty() && array.shape[0] > 0,
                 "positional reads need contiguous storage");
  return std::make_unique<PositionalSource>(path, array);
}

std::unique_ptr<PixelSource> make_library_source(const std::filesystem::path& path,
                                                 Hid file,
                                                 StoredArray array) {
  return std::make_unique<LibrarySource>(path, std::move(file), std::move(array));
}

}  // namespace lockstep::data
