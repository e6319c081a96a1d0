// Attributes of every kind survive a file; the library is quiet and loads no plugins.
#include "hdf5_session.h"

#include "data_fixture.h"

namespace lockstep::data {
namespace {

TEST(Hdf5Session, PluginsAreOff) {
  const Hdf5Session session;
  unsigned mask = 1;
  ASSERT_GE(H5PLget_loading_state(&mask), 0);
  EXPECT_EQ(mask, 0U);
}

TEST(Hdf5Session, FailuresAreSilentAndHaveAReason) {
  ::testing::internal::CaptureStderr();
  const Hdf5Session session;
  EXPECT_LT(H5Fopen("/no/such/file.h5", H5F_ACC_RDONLY, H5P_DEFAULT), 0);
  EXPECT_NE(hdf5_reason(session).find("No such file"), std::string::npos) << hdf5_reason(session);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Hdf5Session, AttributesRoundTripAlsoLargeOnes) {
  const TemporaryFolder folder;
  const auto path = folder / "a.h5";
  Attributes written;
  written["whole"] = std::int64_t{-5};
  written["empty"] = std::string();
  written["text"] = std::string("ä b");
  written["numbers"] = std::vector<double>{0.5, -1e300, 3};
  written["classes"] = std::string(200000, 'c');  // more than an object header holds
  {
    const Hdf5Session session;
    const Hid access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_LATEST);
    const Hid file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), H5Fclose);
    for (const auto& [name, value] : written) {
      write_attribute(session, file.get(), path, name, value);
    }
  }
  const Hdf5Session session;
  const Hid file = open_hdf5(session, path);
  EXPECT_EQ(read_attributes(session, file.get(), path), written);
}

TEST(Hdf5Session, VariableLengthTextIsRead) {
  const TemporaryFolder folder;
  const auto path = folder / "a.h5";
  write_foreign(path, {});
  edit(path, [](hid_t file) {
    const Hid type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.get(), H5T_VARIABLE);
    const Hid space(H5Screate(H5S_SCALAR), H5Sclose);
    const Hid attribute(
        H5Acreate2(file, "split", type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    const char* text = "validation";
    H5Awrite(attribute.get(), type.get(), &text);
  });
  EXPECT_EQ(open_dataset(path, Options{})->info().split, "validation");
}

}  // namespace
}  // namespace lockstep::data
