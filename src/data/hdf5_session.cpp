#include "hdf5_session.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace lockstep::data {
namespace {

constexpr hsize_t kMaxAttributes = 1024;
constexpr std::size_t kMaxAttributeBytes = std::size_t{64} << 10;
constexpr std::size_t kMaxClassesBytes = std::size_t{4} << 20;  // 20,000 long names

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

// What came of reading an attribute.
enum class Taken { kYes, kLeftOut, kTooLarge, kFailed };

Taken read_text(hid_t attribute, hid_t type, std::size_t limit_bytes, std::string* value) {
  if (H5Tis_variable_str(type) > 0) {
    char* text = nullptr;
    const Hid memory(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(memory.get(), H5T_VARIABLE);
    H5Tset_cset(memory.get(), H5Tget_cset(type));
    if (H5Aread(attribute, memory.get(), &text) < 0 || text == nullptr) return Taken::kFailed;
    const bool fits = strnlen(text, limit_bytes + 1) <= limit_bytes;
    if (fits) *value = text;
    H5free_memory(text);
    return fits ? Taken::kYes : Taken::kTooLarge;
  }
  value->assign(H5Tget_size(type), '\0');
  if (value->empty() || H5Aread(attribute, type, value->data()) < 0) return Taken::kFailed;
  value->resize(std::min(value->find('\0'), value->size()));
  return Taken::kYes;
}

Taken read_value(hid_t attribute, std::size_t limit_bytes, AttributeValue* value) {
  const Hid type(H5Aget_type(attribute), H5Tclose);
  const Hid space(H5Aget_space(attribute), H5Sclose);
  if (!type || !space) return Taken::kFailed;
  const hssize_t count = H5Sget_simple_extent_npoints(space.get());
  const std::size_t element_bytes = H5Tget_size(type.get());
  const H5T_class_t kind = H5Tget_class(type.get());
  if (count < 0 || element_bytes == 0) return Taken::kFailed;
  if (static_cast<hsize_t>(count) > limit_bytes / element_bytes) return Taken::kTooLarge;
  if (count == 0) return Taken::kLeftOut;
  if (kind == H5T_STRING && count == 1) {
    std::string text;
    const Taken taken = read_text(attribute, type.get(), limit_bytes, &text);
    *value = std::move(text);
    return taken;
  }
  if (kind == H5T_INTEGER && count == 1) {
    std::int64_t number = 0;
    if (H5Aread(attribute, H5T_NATIVE_INT64, &number) < 0) return Taken::kFailed;
    *value = number;
    return Taken::kYes;
  }
  if (kind != H5T_FLOAT && kind != H5T_INTEGER) return Taken::kLeftOut;
  std::vector<double> numbers(static_cast<std::size_t>(count));
  if (H5Aread(attribute, H5T_NATIVE_DOUBLE, numbers.data()) < 0) return Taken::kFailed;
  *value = std::move(numbers);
  return Taken::kYes;
}

struct Walk {
  Attributes attributes;
  std::string failed;
  Taken how = Taken::kYes;
};

herr_t take_attribute(hid_t location, const char* name, const H5A_info_t*, void* data) {
  auto& walk = *static_cast<Walk*>(data);
  // No exception may pass through the C library.
  try {
    const Hid attribute(H5Aopen(location, name, H5P_DEFAULT), H5Aclose);
    AttributeValue value;
    const std::size_t limit_bytes =
        std::string_view(name) == "classes" ? kMaxClassesBytes : kMaxAttributeBytes;
    walk.how = attribute ? read_value(attribute.get(), limit_bytes, &value) : Taken::kFailed;
    if (walk.how == Taken::kYes) walk.attributes[name] = std::move(value);
    if (walk.how == Taken::kFailed || walk.how == Taken::kTooLarge) walk.failed = name;
  } catch (...) {
    walk.failed = "(out of memory)";
  }
  return walk.failed.empty() ? 0 : -1;
}

// Before the library makes a table of them all.
void check_attribute_count(const Hdf5Session& session,
                           hid_t file,
                           const std::filesystem::path& path) {
  H5O_info_t info{};
  if (H5Oget_info2(file, &info, H5O_INFO_NUM_ATTRS) < 0) {
    throw data_error(format("{}: the root group cannot be read ({}): make or copy the file again",
                            path.string(),
                            hdf5_reason(session)));
  }
  if (info.num_attrs <= kMaxAttributes) return;
  throw data_error(format("{}: has {} root attributes, this version reads {}",
                          path.string(),
                          info.num_attrs,
                          kMaxAttributes));
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
    std::error_code missing;
    const auto kind = std::filesystem::status(path, missing).type();
    if (kind == std::filesystem::file_type::directory) {
      throw io_error(format("{} is a folder, not a data file", path.string()));
    }
    // Opening a pipe would wait for a writer.
    if (kind != std::filesystem::file_type::regular && std::filesystem::exists(path, missing)) {
      throw io_error(format("{} is not a regular file", path.string()));
    }
    const FileHandle probe = open_for_reading(path);
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
  check_attribute_count(session, file, path);
  Walk walk;
  hsize_t position = 0;
  if (H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_NATIVE, &position, take_attribute, &walk) < 0) {
    if (walk.how == Taken::kTooLarge) {
      throw data_error(
          format("{}: root attribute {} is larger than this version reads ({} KiB)",
                 path.string(),
                 walk.failed,
                 (walk.failed == "classes" ? kMaxClassesBytes : kMaxAttributeBytes) >> 10));
    }
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
