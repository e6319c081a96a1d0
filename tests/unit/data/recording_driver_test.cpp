// Raw reads are noted and not done; metadata and reads without a recording are real.
#include "recording_driver.h"

#include "foreign_fixture.h"

namespace lockstep::data {
namespace {

TEST(RecordingDriver, NotesWhereRawDataLies) {
  const TemporaryFolder folder;
  const auto path = folder / "f.h5";
  write_arrays(path, {}, true);
  const Hdf5Session session;
  const Hid file = open_recording(session, path);
  const Hid dataset(H5Dopen2(file.get(), "images", H5P_DEFAULT), H5Dclose);
  ASSERT_TRUE(dataset);
  std::vector<std::byte> out(600, std::byte{9});
  {
    RecordingScope recording(session);
    H5Dread(dataset.get(), H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, out.data());
    EXPECT_EQ(recording.last().offset_bytes, H5Dget_offset(dataset.get()));
    EXPECT_EQ(recording.last().size_bytes, 600U);
    EXPECT_EQ(recording.last().count, 1);
    recording.reset();
    EXPECT_EQ(recording.last().count, 0);
  }
  EXPECT_EQ(out, std::vector<std::byte>(600, std::byte{9}));
  H5Dread(dataset.get(), H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, out.data());
  EXPECT_EQ(out, library_bytes(path));
}

TEST(RecordingDriver, WhatIsNoFileIsRefused) {
  const TemporaryFolder folder;
  const Hdf5Session session;
  write_file(folder / "x.h5", std::string(3000, 'x'));
  expect_error(ExitCode::kBadData, {"x.h5"}, [&] { open_recording(session, folder / "x.h5"); });
  expect_error(
      ExitCode::kBadData, {"none.h5"}, [&] { open_recording(session, folder / "none.h5"); });
}

}  // namespace
}  // namespace lockstep::data
