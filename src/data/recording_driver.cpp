#include "recording_driver.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <tuple>

namespace lockstep::data {
namespace {

// Under the library's lock.
RawRead* g_recording = nullptr;

struct RecordedFile {
  H5FD_t base;  // the library's part; must be first
  FileHandle handle;
  haddr_t end_of_address_space;
  haddr_t end_of_file;
  dev_t device;
  ino_t inode;
};

RecordedFile* recorded(H5FD_t* file) { return reinterpret_cast<RecordedFile*>(file); }
const RecordedFile* recorded(const H5FD_t* file) {
  return reinterpret_cast<const RecordedFile*>(file);
}

H5FD_t* open_file(const char* name, unsigned flags, hid_t /*access*/, haddr_t /*limit*/) {
  if ((flags & H5F_ACC_RDWR) != 0) return nullptr;
  FileHandle handle(open(name, O_RDONLY | O_CLOEXEC));
  struct stat facts {};
  if (!handle || fstat(handle.get(), &facts) != 0) return nullptr;
  auto* file = new (std::nothrow) RecordedFile{};
  if (file == nullptr) return nullptr;
  file->handle = std::move(handle);
  file->end_of_file = static_cast<haddr_t>(facts.st_size);
  file->device = facts.st_dev;
  file->inode = facts.st_ino;
  return &file->base;
}

herr_t close_file(H5FD_t* file) {
  delete recorded(file);
  return 0;
}

int compare_files(const H5FD_t* a, const H5FD_t* b) {
  const auto left = std::tie(recorded(a)->device, recorded(a)->inode);
  const auto right = std::tie(recorded(b)->device, recorded(b)->inode);
  if (left == right) return 0;
  return left < right ? -1 : 1;
}

herr_t query_features(const H5FD_t* /*file*/, unsigned long* flags) {
  *flags = 0;
  return 0;
}

haddr_t get_end_of_address_space(const H5FD_t* file, H5FD_mem_t /*type*/) {
  return recorded(file)->end_of_address_space;
}

herr_t set_end_of_address_space(H5FD_t* file, H5FD_mem_t /*type*/, haddr_t end) {
  recorded(file)->end_of_address_space = end;
  return 0;
}

haddr_t get_end_of_file(const H5FD_t* file, H5FD_mem_t /*type*/) {
  return recorded(file)->end_of_file;
}

// As the library's own driver: what lies past the end of the file is zero.
herr_t read_metadata(const RecordedFile& file, haddr_t offset, std::size_t size, char* out) {
  while (size > 0) {
    const ssize_t got = pread(file.handle.get(), out, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) {
      std::memset(out, 0, size);
      return 0;
    }
    size -= static_cast<std::size_t>(got);
    offset += static_cast<haddr_t>(got);
    out += got;
  }
  return 0;
}

herr_t read_file(
    H5FD_t* file, H5FD_mem_t type, hid_t /*transfer*/, haddr_t offset, size_t size, void* out) {
  if (offset > static_cast<haddr_t>(std::numeric_limits<off_t>::max()) - size) return -1;
  if (type != H5FD_MEM_DRAW || g_recording == nullptr) {
    return read_metadata(*recorded(file), offset, size, static_cast<char*>(out));
  }
  g_recording->offset_bytes = offset;
  g_recording->size_bytes = size;
  ++g_recording->count;
  return 0;
}

herr_t refuse_write(H5FD_t*, H5FD_mem_t, hid_t, haddr_t, size_t, const void*) { return -1; }

H5FD_class_t make_class() {
  H5FD_class_t driver{};
  driver.name = "lockstep_recording";
  driver.maxaddr = static_cast<haddr_t>(std::numeric_limits<off_t>::max());
  driver.fc_degree = H5F_CLOSE_WEAK;
  driver.open = open_file;
  driver.close = close_file;
  driver.cmp = compare_files;
  driver.query = query_features;
  driver.get_eoa = get_end_of_address_space;
  driver.set_eoa = set_end_of_address_space;
  driver.get_eof = get_end_of_file;
  driver.read = read_file;
  driver.write = refuse_write;
  constexpr H5FD_mem_t kMap[] = H5FD_FLMAP_DICHOTOMY;
  std::copy(std::begin(kMap), std::end(kMap), std::begin(driver.fl_map));
  return driver;
}

hid_t driver_id() {
  // Registered once; the library keeps a pointer to nothing of ours but the functions.
  static const H5FD_class_t driver = make_class();
  static const hid_t id = H5FDregister(&driver);
  return id;
}

}  // namespace

RecordingScope::RecordingScope(const Hdf5Session&) {
  LOCKSTEP_CHECK(g_recording == nullptr, "recordings do not nest");
  g_recording = &last_;
}

RecordingScope::~RecordingScope() { g_recording = nullptr; }

Hid open_recording(const Hdf5Session& session, const std::filesystem::path& path) {
  const Hid access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_file_locking(access.get(), false, true);
  if (driver_id() < 0 || H5Pset_driver(access.get(), driver_id(), nullptr) < 0) {
    throw io_error(format("{}: the file driver for chunk indices cannot be set up ({})",
                          path.string(),
                          hdf5_reason(session)));
  }
  Hid file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (file) return file;
  throw data_error(
      format("{} cannot be opened for its chunk index ({})", path.string(), hdf5_reason(session)));
}

}  // namespace lockstep::data
