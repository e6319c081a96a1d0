#include "stored_array.h"

#include "file_links.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace lockstep::data {
namespace {

constexpr std::size_t kMaxDimensions = 8;
constexpr std::size_t kMaxFilters = 16;
constexpr std::size_t kMaxFilterValues = 20;

struct Place {
  const Hdf5Session& session;
  const std::filesystem::path& path;
  const std::string& key;

  Error refuse(const std::string& what) const {
    return data_error(format("{}: data set \"{}\" {}", path.string(), key, what));
  }
};

// Numbers as this program's own: any of these needs no conversion but swapped bytes.
struct PlainType {
  const char* name;
  hid_t little;
  hid_t big;
};

std::vector<PlainType> plain_types() {
  return {{"u8", H5T_STD_U8LE, H5T_STD_U8BE},
          {"i8", H5T_STD_I8LE, H5T_STD_I8BE},
          {"u16", H5T_STD_U16LE, H5T_STD_U16BE},
          {"i16", H5T_STD_I16LE, H5T_STD_I16BE},
          {"u32", H5T_STD_U32LE, H5T_STD_U32BE},
          {"i32", H5T_STD_I32LE, H5T_STD_I32BE},
          {"u64", H5T_STD_U64LE, H5T_STD_U64BE},
          {"i64", H5T_STD_I64LE, H5T_STD_I64BE},
          {"f32", H5T_IEEE_F32LE, H5T_IEEE_F32BE},
          {"f64", H5T_IEEE_F64LE, H5T_IEEE_F64BE}};
}

const char* class_name(hid_t type) {
  if (H5Tis_variable_str(type) > 0) return "variable-length text";
  switch (H5Tget_class(type)) {
    case H5T_STRING:
      return "text";
    case H5T_VLEN:
      return "variable-length";
    case H5T_COMPOUND:
      return "compound";
    case H5T_REFERENCE:
      return "reference";
    case H5T_ENUM:
      return "enumeration";
    case H5T_ARRAY:
      return "array";
    case H5T_BITFIELD:
      return "bit field";
    case H5T_OPAQUE:
      return "opaque";
    default:
      return "other";
  }
}

void describe_type(const Place& place, StoredArray& array) {
  const Hid type(H5Dget_type(array.dataset.get()), H5Tclose);
  if (!type) throw place.refuse(format("has no type ({})", hdf5_reason(place.session)));
  array.element_bytes = H5Tget_size(type.get());
  for (const PlainType& plain : plain_types()) {
    const bool big = H5Tequal(type.get(), plain.big) > 0;
    if (!big && H5Tequal(type.get(), plain.little) <= 0) continue;
    array.type = plain.name;
    array.big_endian = big && array.element_bytes > 1;
    return;
  }
  const H5T_class_t kind = H5Tget_class(type.get());
  if (kind != H5T_INTEGER && kind != H5T_FLOAT) {
    throw place.refuse(
        format("is of a {} type, this version reads plain numbers only", class_name(type.get())));
  }
  const char* prefix = kind == H5T_FLOAT                         ? "f"
                       : H5Tget_sign(type.get()) == H5T_SGN_NONE ? "u"
                                                                 : "i";
  array.type = format("{}{}", prefix, array.element_bytes * 8);
  array.library_only = "an unusual number type";
}

void describe_shape(const Place& place, StoredArray& array) {
  const Hid space(H5Dget_space(array.dataset.get()), H5Sclose);
  const int rank = space ? H5Sget_simple_extent_ndims(space.get()) : -1;
  if (rank < 0) throw place.refuse("has no shape that can be read");
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr);
  array.size_bytes = array.element_bytes;
  for (const hsize_t dim : dims) {
    array.shape.push_back(dim);
    if (__builtin_mul_overflow(array.size_bytes, std::uint64_t{dim}, &array.size_bytes)) {
      throw place.refuse(format("of shape {} is larger than any file", array.shape_text()));
    }
  }
  if (array.shape.empty() || dims.size() > kMaxDimensions) {
    throw place.refuse(
        format("has {} dimensions, this version reads 1 to {}", dims.size(), kMaxDimensions));
  }
}

void describe_chunk(const Place& place, StoredArray& array, hid_t creation) {
  std::vector<hsize_t> chunk(array.shape.size());
  if (H5Pget_chunk(creation, static_cast<int>(chunk.size()), chunk.data()) !=
      static_cast<int>(chunk.size())) {
    throw place.refuse("has chunks of another rank than its shape");
  }
  array.chunk.assign(chunk.begin(), chunk.end());
  array.chunk_bytes = array.element_bytes;
  for (const std::uint64_t side : array.chunk) {
    if (side == 0) throw place.refuse("has chunks of no size");
    if (!__builtin_mul_overflow(array.chunk_bytes, side, &array.chunk_bytes) &&
        array.chunk_bytes <= kMaxChunkBytes) {
      continue;
    }
    throw place.refuse(
        format("has chunks that inflate to more than {} MiB: store it in smaller "
               "ones",
               kMaxChunkBytes >> 20));
  }
  unsigned chunk_options = 0;
  H5Pget_chunk_opts(creation, &chunk_options);
  array.whole_edges_only = (chunk_options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) != 0;
}

struct Filter {
  H5Z_filter_t id = 0;
  std::string name;
  std::vector<unsigned> values;
};

Filter read_filter(const Place& place, hid_t creation, unsigned position) {
  unsigned flags = 0;
  unsigned config = 0;
  std::array<unsigned, kMaxFilterValues> values{};
  std::size_t num_values = values.size();
  std::array<char, 64> name{};
  Filter filter;
  filter.id = H5Pget_filter2(
      creation, position, &flags, &num_values, values.data(), name.size(), name.data(), &config);
  filter.name = name[0] != '\0' ? std::string(name.data()) : format("filter {}", filter.id);
  if (filter.id < 0 || H5Zfilter_avail(filter.id) <= 0) {
    throw place.refuse(
        format("needs the filter \"{}\", which is not built in: store it with "
               "deflate, shuffle, fletcher32 or without filters",
               filter.name));
  }
  filter.values.assign(
      values.begin(),
      values.begin() + static_cast<std::ptrdiff_t>(std::min(num_values, values.size())));
  return filter;
}

void add_filter(const Place& place, StoredArray& array, const Filter& filter) {
  array.filters.push_back(filter.name);
  const auto value = [&filter](std::size_t i) {
    return i < filter.values.size() ? filter.values[i] : 0;
  };
  if (filter.id == H5Z_FILTER_DEFLATE) {
    array.steps.push_back({FilterStep::Kind::kDeflate});
  } else if (filter.id == H5Z_FILTER_FLETCHER32) {
    array.steps.push_back({FilterStep::Kind::kFletcher32});
  } else if (filter.id == H5Z_FILTER_SHUFFLE) {
    if (value(0) == 0 || value(0) > array.chunk_bytes) {
      throw place.refuse("has a shuffle filter for elements of no possible size");
    }
    array.steps.push_back({FilterStep::Kind::kShuffle, value(0)});
  } else if (filter.id == H5Z_FILTER_SZIP) {
    throw place.refuse(
        "uses szip, which takes as much memory as each chunk asks for: store it with deflate");
  } else {
    const bool sized = filter.id == H5Z_FILTER_NBIT || filter.id == H5Z_FILTER_SCALEOFFSET;
    if (sized && value(2) != array.chunk_bytes / array.element_bytes) {
      throw place.refuse(format("has a filter \"{}\" for chunks of another size", filter.name));
    }
    array.library_only = "the filter \"" + filter.name + "\"";
  }
}

void describe_filters(const Place& place, StoredArray& array, hid_t creation) {
  const int count = H5Pget_nfilters(creation);
  if (count < 0 || static_cast<std::size_t>(count) > kMaxFilters) {
    throw place.refuse(format("has {} filters, this version undoes {}", count, kMaxFilters));
  }
  if (count > 0 && array.chunk.empty()) throw place.refuse("has filters but no chunks");
  for (int i = 0; i < count; ++i) {
    add_filter(place, array, read_filter(place, creation, static_cast<unsigned>(i)));
  }
  const auto deflates = std::count_if(array.steps.begin(), array.steps.end(), [](const auto& step) {
    return step.kind == FilterStep::Kind::kDeflate;
  });
  // The library inflates without a limit, so it is never asked to.
  if (deflates > 1 || (deflates == 1 && !array.library_only.empty())) {
    throw place.refuse(
        "has deflate together with another filter of its kind: store it with "
        "deflate, shuffle and fletcher32 alone");
  }
}

// What of the storage decides whether anything else is looked at.
H5D_layout_t checked_layout(const Place& place, hid_t creation) {
  const H5D_layout_t layout = H5Pget_layout(creation);
  if (layout == H5D_VIRTUAL) {
    throw place.refuse("is virtual, made of other files: copy the data into this file");
  }
  if (H5Pget_external_count(creation) != 0) {
    throw place.refuse("keeps its bytes in another file: copy the data into this file");
  }
  if (layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED && layout != H5D_COMPACT) {
    throw place.refuse("is stored in a way that this version does not know");
  }
  return layout;
}

void describe_storage(const Place& place, StoredArray& array, hid_t creation, H5D_layout_t layout) {
  array.layout = layout == H5D_CONTIGUOUS ? "contiguous"
                 : layout == H5D_CHUNKED  ? "chunked"
                                          : "compact";
  if (layout == H5D_CHUNKED) describe_chunk(place, array, creation);
  if (layout == H5D_COMPACT) array.library_only = "storage inside the header";
  describe_filters(place, array, creation);
  array.fill.resize(array.element_bytes);
  const Hid type(H5Dget_type(array.dataset.get()), H5Tclose);
  H5D_fill_value_t defined = H5D_FILL_VALUE_UNDEFINED;
  if (H5Pfill_value_defined(creation, &defined) < 0 ||
      (defined == H5D_FILL_VALUE_USER_DEFINED &&
       H5Pget_fill_value(creation, type.get(), array.fill.data()) < 0)) {
    throw place.refuse("has a fill value that cannot be read");
  }
}

void locate(const Place& place, StoredArray& array) {
  if (!array.contiguous() || array.size_bytes == 0) return;
  const haddr_t offset = H5Dget_offset(array.dataset.get());
  if (offset == HADDR_UNDEF) throw place.refuse("has a shape but no bytes were ever written");
  array.offset_bytes = offset;
  array.stored_bytes = array.size_bytes;
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
  const Place place{session, path, key};
  check_links(session, file, path, key);
  StoredArray array;
  array.key = key;
  array.dataset = Hid(H5Dopen2(file, key.c_str(), H5P_DEFAULT), H5Dclose);
  if (!array.dataset) {
    throw place.refuse(format("cannot be opened ({}): is it a data set?", hdf5_reason(session)));
  }
  const Hid creation(H5Dget_create_plist(array.dataset.get()), H5Pclose);
  if (!creation) throw place.refuse("has no storage description");
  const H5D_layout_t layout = checked_layout(place, creation.get());
  describe_type(place, array);
  describe_shape(place, array);
  describe_storage(place, array, creation.get(), layout);
  locate(place, array);
  return array;
}

}  // namespace lockstep::data
