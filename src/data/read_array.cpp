// Whole data sets as vectors: chunks taken apart here, everything else read by the library.
#include "chunked_source.h"
#include "stored_array.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace lockstep::data {
namespace {

constexpr std::uint64_t kMaxTableBytes = std::uint64_t{1} << 36;

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
hid_t memory_type<std::int32_t>() {
  return H5T_NATIVE_INT32;
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

// As the library converts: numbers that do not fit become the nearest that does.
template <class T, class Stored>
T converted(Stored value) {
  if constexpr (std::is_floating_point_v<T> || std::is_floating_point_v<Stored>) {
    return static_cast<T>(value);
  } else {
    if (std::cmp_less(value, std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
    if (std::cmp_greater(value, std::numeric_limits<T>::max())) {
      return std::numeric_limits<T>::max();
    }
    return static_cast<T>(value);
  }
}

template <class T, class Stored>
void convert(std::vector<std::byte>& bytes, bool big_endian, std::vector<T>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::byte* element = bytes.data() + i * sizeof(Stored);
    if (big_endian) std::reverse(element, element + sizeof(Stored));
    Stored value{};
    std::memcpy(&value, element, sizeof(Stored));
    values[i] = converted<T>(value);
  }
}

template <class T>
void convert_all(const StoredArray& array, std::vector<std::byte>& bytes, std::vector<T>& values) {
  using Convert = void (*)(std::vector<std::byte>&, bool, std::vector<T>&);
  const std::pair<const char*, Convert> table[] = {{"u8", convert<T, std::uint8_t>},
                                                   {"i8", convert<T, std::int8_t>},
                                                   {"u16", convert<T, std::uint16_t>},
                                                   {"i16", convert<T, std::int16_t>},
                                                   {"u32", convert<T, std::uint32_t>},
                                                   {"i32", convert<T, std::int32_t>},
                                                   {"u64", convert<T, std::uint64_t>},
                                                   {"i64", convert<T, std::int64_t>},
                                                   {"f32", convert<T, float>},
                                                   {"f64", convert<T, double>}};
  for (const auto& [name, function] : table) {
    if (array.type == name) return function(bytes, array.big_endian, values);
  }
  LOCKSTEP_CHECK(false, "a type without a conversion");
}

}  // namespace

template <class T>
std::vector<T> read_array(const Hdf5Session& session,
                          const StoredArray& array,
                          const std::filesystem::path& path) {
  const std::uint64_t count = array.size_bytes / array.element_bytes;
  if (count > kMaxTableBytes / sizeof(T)) {
    throw data_error(format("{}: data set \"{}\" of shape {} is too large for a table",
                            path.string(),
                            array.key,
                            array.shape_text()));
  }
  if (array.layout == "chunked" && array.library_only.empty()) {
    std::vector<std::byte> bytes = read_all_chunks(session, path, array);
    std::vector<T> values(count);
    convert_all(array, bytes, values);
    return values;
  }
  if (array.layout == "chunked") check_written(session, path, array);
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
template std::vector<std::int32_t> read_array(const Hdf5Session&,
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
