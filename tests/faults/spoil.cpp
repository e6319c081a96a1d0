// Changes one thing in a data set through HDF5, for tests of wrong input:
// spoil version FILE, spoil label FILE, spoil pixel FILE SAMPLE (one bit of that sample),
// spoil crash FILE (a new file whose names lead the library round in a circle until its stack
// ends).
#include <hdf5.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

namespace {

bool write_version(hid_t file) {
  const hid_t attribute = H5Aopen(file, "lockstep_format", H5P_DEFAULT);
  const std::int64_t version = 99;
  const bool good = attribute >= 0 && H5Awrite(attribute, H5T_NATIVE_INT64, &version) >= 0;
  return H5Aclose(attribute) >= 0 && good;
}

// A label that no class has, in a file that does not claim to be ours: else its checksum would
// tell.
bool write_label(hid_t file) {
  const hid_t labels = H5Dopen2(file, "label", H5P_DEFAULT);
  const hid_t space = H5Dget_space(labels);
  const hsize_t where = 5;
  H5Sselect_elements(space, H5S_SELECT_SET, 1, &where);
  const hsize_t one = 1;
  const hid_t memory = H5Screate_simple(1, &one, nullptr);
  const std::int64_t label = -7;
  const bool good = H5Dwrite(labels, H5T_NATIVE_INT64, memory, space, H5P_DEFAULT, &label) >= 0;
  H5Sclose(memory);
  H5Sclose(space);
  return H5Dclose(labels) >= 0 && H5Adelete(file, "lockstep_format") >= 0 && good;
}

bool flip_pixel(hid_t file, hsize_t sample) {
  const hid_t images = H5Dopen2(file, "images", H5P_DEFAULT);
  const hid_t space = H5Dget_space(images);
  const std::array<hsize_t, 4> where{sample, 0, 0, 0};
  H5Sselect_elements(space, H5S_SELECT_SET, 1, where.data());
  const hsize_t one = 1;
  const hid_t memory = H5Screate_simple(1, &one, nullptr);
  std::uint8_t pixel = 0;
  bool good = H5Dread(images, H5T_NATIVE_UINT8, memory, space, H5P_DEFAULT, &pixel) >= 0;
  pixel ^= 1U;
  good = good && H5Dwrite(images, H5T_NATIVE_UINT8, memory, space, H5P_DEFAULT, &pixel) >= 0;
  H5Sclose(memory);
  H5Sclose(space);
  return H5Dclose(images) >= 0 && good;
}

// A node of the tree of names becomes its own child: the library follows it without an end.
bool write_crash(const char* path) {
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t group = H5Gcreate2(file, "images", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (H5Gclose(group) < 0 || H5Fclose(file) < 0) return false;
  std::ifstream in(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const std::uint64_t node = bytes.find("TREE");
  if (node == std::string::npos) return false;
  bytes[node + 5] = 1;
  std::memcpy(bytes.data() + node + 32, &node, sizeof node);
  return bool(std::ofstream(path, std::ios::binary) << bytes);
}

bool spoil(hid_t file, const char* what, const char* sample) {
  if (std::strcmp(what, "version") == 0) return write_version(file);
  if (std::strcmp(what, "label") == 0) return write_label(file);
  return flip_pixel(file, std::strtoull(sample, nullptr, 10));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 64;
  if (std::strcmp(argv[1], "crash") == 0) return write_crash(argv[2]) ? 0 : 74;
  const hid_t file = H5Fopen(argv[2], H5F_ACC_RDWR, H5P_DEFAULT);
  if (file < 0) return 74;
  const bool good = spoil(file, argv[1], argc > 3 ? argv[3] : "0");
  return H5Fclose(file) >= 0 && good ? 0 : 74;
}
