// Names are found without leaving the file; stored_array_test has the links that are refused.
#include "file_links.h"

#include "foreign_fixture.h"

namespace lockstep::data {
namespace {

class FileLinks : public ::testing::Test {
 protected:
  void SetUp() override {
    write_foreign(path_, {.image_key = "a/b/x"});
    edit(path_, [](hid_t file) {
      H5Lcreate_soft("/a/b", file, "short", H5P_DEFAULT, H5P_DEFAULT);
      H5Lcreate_soft("/nowhere", file, "dangling", H5P_DEFAULT, H5P_DEFAULT);
      H5Lcreate_external("other.h5", "/x", file, "outside", H5P_DEFAULT, H5P_DEFAULT);
      H5Lcreate_hard(file, "a", file, "a/b/up", H5P_DEFAULT, H5P_DEFAULT);
    });
  }
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "f.h5";
};

TEST_F(FileLinks, HasLinkOfAnyKind) {
  const Hdf5Session session;
  const Hid file = open_hdf5(session, path_);
  for (const char* key :
       {"label", "a/b/x", "/a/b/x", "short", "dangling", "outside", "a/b/up/b/x"}) {
    EXPECT_TRUE(has_link(session, file.get(), key)) << key;
  }
  for (const char* key : {"", "/", "x", "a/x", "a/b/x/y", "nowhere"}) {
    EXPECT_FALSE(has_link(session, file.get(), key)) << key;
  }
}

TEST_F(FileLinks, NamesOfDataSetsEachOnce) {
  const Hdf5Session session;
  const Hid file = open_hdf5(session, path_);
  EXPECT_EQ(data_set_names(session, file.get(), path_, 10),
            (std::vector<std::string>{"a/b/x", "label"}));
  EXPECT_EQ(data_set_names(session, file.get(), path_, 1).size(), 1U);
}

TEST_F(FileLinks, WaysAreChecked) {
  const Hdf5Session session;
  const Hid file = open_hdf5(session, path_);
  check_links(session, file.get(), path_, "short/x");
  expect_error(ExitCode::kBadData, {path_.string(), "\"outside\"", "leaves the file"}, [&] {
    check_links(session, file.get(), path_, "outside");
  });
  expect_error(ExitCode::kBadData, {"\"dangling\" is missing"}, [&] {
    check_links(session, file.get(), path_, "dangling");
  });
}

}  // namespace
}  // namespace lockstep::data
