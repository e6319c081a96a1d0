// Changes one thing in a data set through HDF5, for tests of wrong input: spoil {version|label}
// FILE.
#include <hdf5.h>

#include <cstdint>
#include <cstring>

namespace {

bool write_version(hid_t file) {
  const hid_t attribute = H5Aopen(file, "lockstep_format", H5P_DEFAULT);
  const std::int64_t version = 99;
  const bool good = attribute >= 0 && H5Awrite(attribute, H5T_NATIVE_INT64, &version) >= 0;
  return H5Aclose(attribute) >= 0 && good;
}

bool write_label(hid_t file) {
  const hid_t labels = H5Dopen2(file, "label", H5P_DEFAULT);
  const hid_t space = H5Dget_space(labels);
  const hsize_t where = 5;
  H5Sselect_elements(space, H5S_SELECT_SET, 1, &where);
  const hsize_t one = 1;
  const hid_t memory = H5Screate_simple(1, &one, nullptr);
  const std::int64_t label = 123456;
  const bool good = H5Dwrite(labels, H5T_NATIVE_INT64, memory, space, H5P_DEFAULT, &label) >= 0;
  H5Sclose(memory);
  H5Sclose(space);
  return H5Dclose(labels) >= 0 && good;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  const hid_t file = H5Fopen(argv[2], H5F_ACC_RDWR, H5P_DEFAULT);
  if (file < 0) return 74;
  const bool good = std::strcmp(argv[1], "version") == 0 ? write_version(file) : write_label(file);
  return H5Fclose(file) >= 0 && good ? 0 : 74;
}
