// Data that lies in another file is refused before a byte is read; missing names list what is
// there.
#include "stored_array.h"

#include "data_fixture.h"

namespace lockstep::data {
namespace {

class StoredArrayTest : public ::testing::Test {
 protected:
  void refused(std::initializer_list<std::string> fragments, const std::string& key = "images") {
    Options options;
    options.image_key = key;
    expect_error(ExitCode::kBadData, fragments, [&] { open_dataset(path_, options); });
  }
  void write_and_unlink() {
    write_foreign(path_, {});
    write_foreign(folder_ / "other.h5", {});
    edit(path_, [](hid_t file) { H5Ldelete(file, "images", H5P_DEFAULT); });
  }
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "s.h5";
};

TEST_F(StoredArrayTest, MissingNameListsWhatIsThere) {
  write_foreign(path_, {});
  refused({path_.string(), "\"pictures\" is missing", "images, label", "data.image_key"},
          "pictures");
  refused({"\"a/b\" is missing"}, "a/b");
  refused({"has no name"}, "/");
  refused({"\"label/x\" is missing"}, "label/x");
}

TEST_F(StoredArrayTest, ExternalLinkIsRefused) {
  write_and_unlink();
  edit(path_, [](hid_t file) {
    H5Lcreate_external("other.h5", "/images", file, "images", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("other.h5", "/", file, "group", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/group/images", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
  });
  refused({path_.string(), "\"images\"", "leaves the file"});
  refused({"\"group/images\"", "leaves the file"}, "group/images");
  refused({"\"soft\"", "leaves the file"}, "soft");
}

TEST_F(StoredArrayTest, SoftLinksInsideTheFileAreFollowed) {
  write_foreign(path_, {.image_key = "g/x"});
  edit(path_, [](hid_t file) {
    H5Lcreate_soft("g", file, "h", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/h/x", file, "images", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("round", file, "round", H5P_DEFAULT, H5P_DEFAULT);
  });
  EXPECT_EQ(open_dataset(path_, Options{})->info().num_samples, 6);
  refused({"\"round\"", "circle"}, "round");
  refused({"\"g\"", "cannot be opened"}, "g");
}

TEST_F(StoredArrayTest, ExternalStorageIsRefused) {
  write_and_unlink();
  write_file(folder_ / "raw.bin", std::string(120, 'x'));
  edit(path_, [](hid_t file) {
    const std::vector<hsize_t> shape{6, 4, 5};
    const Hid space(H5Screate_simple(3, shape.data(), nullptr), H5Sclose);
    const Hid creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_external(creation.get(), "raw.bin", 0, 120);
    const Hid dataset(
        H5Dcreate2(
            file, "images", H5T_STD_U8LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
        H5Dclose);
    ASSERT_TRUE(dataset);
  });
  refused({path_.string(), "\"images\"", "another file"});
}

TEST_F(StoredArrayTest, VirtualDataSetIsRefused) {
  write_and_unlink();
  edit(path_, [](hid_t file) {
    const std::vector<hsize_t> shape{6, 4, 5};
    const Hid space(H5Screate_simple(3, shape.data(), nullptr), H5Sclose);
    const Hid creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_virtual(creation.get(), space.get(), "other.h5", "/images", space.get());
    const Hid dataset(
        H5Dcreate2(
            file, "images", H5T_STD_U8LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
        H5Dclose);
    ASSERT_TRUE(dataset);
  });
  refused({path_.string(), "\"images\"", "virtual"});
}

TEST_F(StoredArrayTest, ShapeLargerThanTheFileIsRefused) {
  write_and_unlink();
  // Allocated late and never written: a shape without bytes.
  const std::vector<hsize_t> shape{hsize_t{1} << 30, 1024, 1024};
  edit(path_, [&](hid_t file) {
    const Hid space(H5Screate_simple(3, shape.data(), nullptr), H5Sclose);
    const Hid dataset(
        H5Dcreate2(
            file, "images", H5T_STD_U8LE, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
        H5Dclose);
    ASSERT_TRUE(dataset);
  });
  refused({path_.string(), "\"images\"", "no bytes"});
}

TEST_F(StoredArrayTest, TruncatedForeignFileIsRefused) {
  write_foreign(path_, {.shape = {600, 4, 5}});
  std::filesystem::resize_file(path_, 4000);
  refused({path_.string()});
}

TEST_F(StoredArrayTest, UnknownFilterIsRefusedByName) {
  write_foreign(path_, {.chunked = true, .deflate = true});
  // The filter's number in the stored pipeline, 1 for deflate, becomes one that nobody has.
  std::string bytes = read_file(path_);
  const std::size_t name = bytes.find("deflate");
  ASSERT_NE(name, std::string::npos);
  const std::string header = bytes.substr(name - 8, 2);
  ASSERT_EQ(header, std::string("\x01\x00", 2));
  bytes[name - 8] = '\x77';
  bytes[name - 7] = '\x77';
  write_file(path_, bytes);
  refused({path_.string(), "\"images\"", "filter", "deflate"});
}

}  // namespace
}  // namespace lockstep::data
