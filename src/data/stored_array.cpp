#include "stored_array.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace lockstep::data {
namespace {

constexpr int kMaxSoftLinks = 16;
constexpr std::uint64_t kMaxTableBytes = std::uint64_t{1} << 36;
constexpr hsize_t kMaxNamesListed = 10;

struct Place {
  const Hdf5Session& session;
  hid_t file;
  const std::filesystem::path& path;
  const std::string& key;

  Error refuse(const std::string& what) const {
    return data_error(format("{}: data set \"{}\" {}", path.string(), key, what));
  }
};

std::string names_in_root(hid_t file) {
  std::string names;
  H5G_info_t info{};
  if (H5Gget_info(file, &info) < 0) return names;
  for (hsize_t i = 0; i < std::min(info.nlinks, kMaxNamesListed); ++i) {
    std::array<char, 256> name{};
    if (H5Lget_name_by_idx(
            file, ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(), name.size(), H5P_DEFAULT) < 0) {
      break;
    }
    names += (names.empty() ? "" : ", ") + std::string(name.data());
  }
  return names;
}

std::vector<std::string> components(std::string_view link) {
  std::vector<std::string> parts;
  while (!link.empty()) {
    const std::size_t end = std::min(link.find('/'), link.size());
    const std::string_view part = link.substr(0, end);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    link.remove_prefix(std::min(end + 1, link.size()));
  }
  return parts;
}

// The target of a soft link as a path from the root.
std::string soft_target(const Place& place,
                        const std::string& link,
                        std::size_t size,
                        const std::string& parent) {
  std::string target(size + 1, '\0');
  if (H5Lget_val(place.file, link.c_str(), target.data(), target.size(), H5P_DEFAULT) < 0) {
    throw place.refuse(format("has a link that cannot be read ({})", hdf5_reason(place.session)));
  }
  target.resize(std::min(target.find('\0'), target.size()));
  return !target.empty() && target[0] == '/' ? target : parent + "/" + target;
}

// Walks every link on the way and refuses those that leave the file.
void check_links(const Place& place, const std::string& link, int soft_links) {
  if (soft_links > kMaxSoftLinks) throw place.refuse("is behind links that go round in a circle");
  const std::vector<std::string> parts = components(link);
  if (parts.empty()) throw place.refuse("has no name: data.image_key and data.label_key name it");
  std::string parent;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string here = parent + "/" + parts[i];
    H5L_info_t info{};
    if (H5Lexists(place.file, here.c_str(), H5P_DEFAULT) <= 0 ||
        H5Lget_info(place.file, here.c_str(), &info, H5P_DEFAULT) < 0) {
      throw place.refuse(
          format("is missing; the file holds: {}. data.image_key and "
                 "data.label_key name data sets of foreign files",
                 names_in_root(place.file)));
    }
    if (info.type == H5L_TYPE_SOFT) {
      std::string target = soft_target(place, here, info.u.val_size, parent);
      for (std::size_t rest = i + 1; rest < parts.size(); ++rest) target += "/" + parts[rest];
      return check_links(place, target, soft_links + 1);
    }
    if (info.type != H5L_TYPE_HARD) {
      throw place.refuse("is a link that leaves the file: copy the data into this file");
    }
    parent = here;
  }
}

std::string type_text(hid_t type) {
  const std::size_t bits = H5Tget_size(type) * 8;
  if (H5Tget_class(type) == H5T_FLOAT) return format("f{}", bits);
  if (H5Tget_class(type) != H5T_INTEGER) return "other";
  return format("{}{}", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "i", bits);
}

void describe_shape(const Place& place, StoredArray& array, std::size_t element_bytes) {
  const Hid space(H5Dget_space(array.dataset.get()), H5Sclose);
  const int rank = space ? H5Sget_simple_extent_ndims(space.get()) : -1;
  if (rank < 0) throw place.refuse("has no shape that can be read");
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr);
  array.size_bytes = element_bytes;
  for (const hsize_t dim : dims) {
    array.shape.push_back(dim);
    if (__builtin_mul_overflow(array.size_bytes, std::uint64_t{dim}, &array.size_bytes)) {
      throw place.refuse(format("of shape {} is larger than any file", array.shape_text()));
    }
  }
}

void describe_filters(const Place& place, StoredArray& array, hid_t creation) {
  const int count = H5Pget_nfilters(creation);
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0;
    unsigned config = 0;
    std::size_t num_values = 0;
    std::array<char, 64> name{};
    const H5Z_filter_t filter = H5Pget_filter2(creation,
                                               static_cast<unsigned>(i),
                                               &flags,
                                               &num_values,
                                               nullptr,
                                               name.size(),
                                               name.data(),
                                               &config);
    const std::string text =
        name[0] != '\0' ? std::string(name.data()) : format("filter {}", filter);
    if (filter < 0 || H5Zfilter_avail(filter) <= 0) {
      throw place.refuse(
          format("needs the filter \"{}\", which is not built in: store it with "
                 "deflate, shuffle, fletcher32 or without filters",
                 text));
    }
    array.filters.push_back(text);
  }
}

void describe_storage(const Place& place, StoredArray& array) {
  const Hid creation(H5Dget_create_plist(array.dataset.get()), H5Pclose);
  if (!creation) throw place.refuse("has no storage description");
  const H5D_layout_t layout = H5Pget_layout(creation.get());
  if (layout == H5D_VIRTUAL) {
    throw place.refuse("is virtual, made of other files: copy the data into this file");
  }
  if (H5Pget_external_count(creation.get()) > 0) {
    throw place.refuse("keeps its bytes in another file: copy the data into this file");
  }
  describe_filters(place, array, creation.get());
  array.layout = layout == H5D_CONTIGUOUS ? "contiguous"
                 : layout == H5D_CHUNKED  ? "chunked"
                                          : "compact";
  if (layout != H5D_CHUNKED) return;
  std::vector<hsize_t> chunk(array.shape.size());
  H5Pget_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data());
  array.chunk.assign(chunk.begin(), chunk.end());
}

void locate(const Place& place, StoredArray& array) {
  if (!array.contiguous() || array.size_bytes == 0) return;
  const haddr_t offset = H5Dget_offset(array.dataset.get());
  if (offset == HADDR_UNDEF) throw place.refuse("has a shape but no bytes were ever written");
  array.offset_bytes = offset;
  std::uint64_t end = 0;
  const FileHandle handle = open_for_reading(place.path);
  const std::uint64_t file_bytes = file_size_bytes(handle, place.path);
  if (__builtin_add_overflow(array.offset_bytes, array.size_bytes, &end) || end > file_bytes) {
    throw place.refuse(
        format("lies at bytes {} to {}, the file ends at {}: it is truncated, copy "
               "it again",
               array.offset_bytes,
               end,
               file_bytes));
  }
}

}  // namespace

std::string ArrayInfo::shape_text() const {
  std::string text = "(";
  for (const std::uint64_t dim : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(dim);
  return text + ")";
}

StoredArray open_array(const Hdf5Session& session,
                       hid_t file,
                       const std::filesystem::path& path,
                       const std::string& key) {
  const Place place{session, file, path, key};
  check_links(place, key, 0);
  StoredArray array;
  array.key = key;
  array.dataset = Hid(H5Dopen2(file, key.c_str(), H5P_DEFAULT), H5Dclose);
  if (!array.dataset) {
    throw place.refuse(format("cannot be opened ({}): is it a data set?", hdf5_reason(session)));
  }
  const Hid type(H5Dget_type(array.dataset.get()), H5Tclose);
  if (!type) throw place.refuse(format("has no type ({})", hdf5_reason(session)));
  array.type = type_text(type.get());
  describe_shape(place, array, H5Tget_size(type.get()));
  describe_storage(place, array);
  locate(place, array);
  return array;
}

bool has_array(const Hdf5Session&, hid_t file, const std::string& key) {
  return H5Lexists(file, key.c_str(), H5P_DEFAULT) > 0;
}

namespace {

template <class T>
hid_t memory_type();
template <>
hid_t memory_type<std::int64_t>() {
  return H5T_NATIVE_INT64;
}
template <>
hid_t memory_type<std::uint64_t>() {
  return H5T_NATIVE_UINT64;
}
template <>
hid_t memory_type<std::uint32_t>() {
  return H5T_NATIVE_UINT32;
}
template <>
hid_t memory_type<std::uint8_t>() {
  return H5T_NATIVE_UINT8;
}
template <>
hid_t memory_type<float>() {
  return H5T_NATIVE_FLOAT;
}

}  // namespace

template <class T>
std::vector<T> read_array(const Hdf5Session& session,
                          const StoredArray& array,
                          const std::filesystem::path& path) {
  std::uint64_t count = 1;
  for (const std::uint64_t dim : array.shape) count *= dim;
  if (count > kMaxTableBytes / sizeof(T)) {
    throw data_error(format("{}: data set \"{}\" of shape {} is too large for a table",
                            path.string(),
                            array.key,
                            array.shape_text()));
  }
  std::vector<T> values(count);
  if (count > 0 &&
      H5Dread(array.dataset.get(), memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) <
          0) {
    throw data_error(format(
        "{}: data set \"{}\" cannot be read ({})", path.string(), array.key, hdf5_reason(session)));
  }
  return values;
}

template std::vector<std::int64_t> read_array(const Hdf5Session&,
                                              const StoredArray&,
                                              const std::filesystem::path&);
template std::vector<std::uint64_t> read_array(const Hdf5Session&,
                                               const StoredArray&,
                                               const std::filesystem::path&);
template std::vector<std::uint32_t> read_array(const Hdf5Session&,
                                               const StoredArray&,
                                               const std::filesystem::path&);
template std::vector<std::uint8_t> read_array(const Hdf5Session&,
                                              const StoredArray&,
                                              const std::filesystem::path&);
template std::vector<float> read_array(const Hdf5Session&,
                                       const StoredArray&,
                                       const std::filesystem::path&);

}  // namespace lockstep::data
