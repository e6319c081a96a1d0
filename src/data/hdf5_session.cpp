#include "hdf5_session.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <cstdint>

namespace lockstep::data {
namespace {

constexpr hsize_t kMaxAttributeElements = 4096;
constexpr std::size_t kMaxTextBytes = std::size_t{64} << 20;

std::recursive_mutex& library_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

bool start_library() {
  // HDF5's own handler at exit would run after other libraries have gone.
  H5dont_atexit();
  H5open();
  // A file must not decide which shared objects this process loads.
  H5PLset_loading_state(0);
  return true;
}

herr_t take_innermost(unsigned depth, const H5E_error2_t* error, void* reason) {
  if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(reason) = error->desc;
  return 0;
}

std::string text_of(hid_t attribute, hid_t type, bool* ok) {
  *ok = false;
  if (H5Tis_variable_str(type) > 0) {
    char* text = nullptr;
    const Hid memory(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(memory.get(), H5T_VARIABLE);
    H5Tset_cset(memory.get(), H5Tget_cset(type));
    if (H5Aread(attribute, memory.get(), &text) < 0 || text == nullptr) return {};
    std::string result(text);
    H5free_memory(text);
    *ok = true;
    return result;
  }
  const std::size_t size = H5Tget_size(type);
  if (size == 0 || size > kMaxTextBytes) return {};
  std::string result(size, '\0');
  if (H5Aread(attribute, type, result.data()) < 0) return {};
  result.resize(std::min(result.find('\0'), result.size()));
  *ok = true;
  return result;
}

// False when the attribute is of a type that is left out.
bool read_value(hid_t attribute, AttributeValue* value, bool* ok) {
  const Hid type(H5Aget_type(attribute), H5Tclose);
  const Hid space(H5Aget_space(attribute), H5Sclose);
  *ok = bool(type) && bool(space);
  if (!*ok) return false;
  const hssize_t count = H5Sget_simple_extent_npoints(space.get());
  const H5T_class_t kind = H5Tget_class(type.get());
  if (count < 1 || static_cast<hsize_t>(count) > kMaxAttributeElements) return false;
  if (kind == H5T_STRING && count == 1) {
    *value = text_of(attribute, type.get(), ok);
    return *ok;
  }
  if (kind == H5T_INTEGER && count == 1) {
    std::int64_t number = 0;
    *ok = H5Aread(attribute, H5T_NATIVE_INT64, &number) >= 0;
    *value = number;
    return *ok;
  }
  if (kind != H5T_FLOAT && kind != H5T_INTEGER) return false;
  std::vector<double> numbers(static_cast<std::size_t>(count));
  *ok = H5Aread(attribute, H5T_NATIVE_DOUBLE, numbers.data()) >= 0;
  *value = numbers;
  return *ok;
}

struct Walk {
  Attributes attributes;
  std::string failed;
};

herr_t take_attribute(hid_t location, const char* name, const H5A_info_t*, void* data) {
  auto& walk = *static_cast<Walk*>(data);
  // No exception may pass through the C library.
  try {
    const Hid attribute(H5Aopen(location, name, H5P_DEFAULT), H5Aclose);
    AttributeValue value;
    bool ok = bool(attribute);
    if (ok && read_value(attribute.get(), &value, &ok)) walk.attributes[name] = std::move(value);
    if (!ok) walk.failed = name;
  } catch (...) {
    walk.failed = "(out of memory)";
  }
  return walk.failed.empty() ? 0 : -1;
}

Hid attribute_type(const AttributeValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    Hid type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.get(), std::max<std::size_t>(text->size(), 1));
    H5Tset_cset(type.get(), H5T_CSET_UTF8);
    H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
    return type;
  }
  const bool whole = std::holds_alternative<std::int64_t>(value);
  return {H5Tcopy(whole ? H5T_STD_I64LE : H5T_IEEE_F64LE), H5Tclose};
}

}  // namespace

Hdf5Session::Hdf5Session() : lock_(library_mutex()) {
  static const bool started = start_library();
  (void)started;
  // The handler belongs to the calling thread in thread-safe builds of HDF5.
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Hid& Hid::operator=(Hid&& other) noexcept {
  if (this != &other) {
    close();
    id_ = std::exchange(other.id_, -1);
    closer_ = other.closer_;
  }
  return *this;
}

bool Hid::close() {
  const hid_t id = std::exchange(id_, -1);
  return id < 0 || closer_(id) >= 0;
}

std::string hdf5_reason(const Hdf5Session&) {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, &reason);
  constexpr std::string_view kMarker = "error message = '";
  const std::size_t begin = reason.find(kMarker);
  if (begin != std::string::npos) {
    reason = reason.substr(begin + kMarker.size());
    reason.resize(std::min(reason.find('\''), reason.size()));
  }
  std::replace(reason.begin(), reason.end(), '\n', ' ');
  return reason.empty() ? "HDF5 gives no reason" : reason;
}

Hid open_hdf5(const Hdf5Session& session, const std::filesystem::path& path) {
  {
    const FileHandle probe = open_for_reading(path);
    if (std::filesystem::is_directory(path)) {
      throw io_error(format("{} is a folder, not a data file", path.string()));
    }
    if (file_size_bytes(probe, path) == 0) {
      throw data_error(format("{} is empty: make it again with lockstep prepare", path.string()));
    }
  }
  const Hid access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_file_locking(access.get(), false, true);
  Hid file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (file) return file;
  const std::string reason = hdf5_reason(session);
  if (H5Fis_hdf5(path.c_str()) > 0) {
    throw data_error(format(
        "{} is damaged or was not closed ({}): make or copy it again", path.string(), reason));
  }
  throw data_error(
      format("{} is not an HDF5 file: lockstep prepare makes one from images", path.string()));
}

Attributes read_attributes(const Hdf5Session& session,
                           hid_t file,
                           const std::filesystem::path& path) {
  Walk walk;
  hsize_t position = 0;
  if (H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_NATIVE, &position, take_attribute, &walk) < 0) {
    throw data_error(format("{}: attribute {} cannot be read ({}): make or copy the file again",
                            path.string(),
                            walk.failed,
                            hdf5_reason(session)));
  }
  return std::move(walk.attributes);
}

void write_attribute(const Hdf5Session& session,
                     hid_t file,
                     const std::filesystem::path& path,
                     const std::string& name,
                     const AttributeValue& value) {
  const Hid type = attribute_type(value);
  Hid space(H5Screate(H5S_SCALAR), H5Sclose);
  const void* data = nullptr;
  if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
    const hsize_t count = numbers->size();
    space = Hid(H5Screate_simple(1, &count, nullptr), H5Sclose);
    data = numbers->data();
  } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    data = whole;
  } else {
    data = std::get<std::string>(value).c_str();  // one zero byte when it is empty
  }
  const hid_t memory = std::holds_alternative<std::int64_t>(value)          ? H5T_NATIVE_INT64
                       : std::holds_alternative<std::vector<double>>(value) ? H5T_NATIVE_DOUBLE
                                                                            : type.get();
  const Hid attribute(
      H5Acreate2(file, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  if (!attribute || H5Awrite(attribute.get(), memory, data) < 0) {
    throw io_error(
        format("cannot write attribute {} of {}: {}", name, path.string(), hdf5_reason(session)));
  }
}

}  // namespace lockstep::data
