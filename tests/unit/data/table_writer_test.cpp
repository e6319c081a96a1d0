// Rows arrive in order across buffer boundaries, under the checksum of all of them.
#include "table_writer.h"

#include "data_fixture.h"
#include "stored_array.h"

#include <lockstep/base/hash.h>

#include <numeric>

namespace lockstep::data {
namespace {

TEST(TableWriter, ManySmallRowsMakeOneTable) {
  const TemporaryFolder folder;
  const auto path = folder / "t.h5";
  std::vector<std::int64_t> rows(300000);  // 2.3 MiB: more than two buffers
  std::iota(rows.begin(), rows.end(), -7);
  std::uint32_t crc = 0;
  {
    const Hdf5Session session;
    const Hid file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
    TableWriter writer(session, file.get(), path, "t", H5T_STD_I64LE, {rows.size()});
    for (std::size_t i = 0; i < rows.size(); i += 1000) {
      writer.append(session, std::as_bytes(std::span(rows).subspan(i, 1000)));
    }
    EXPECT_EQ(writer.rows_written(), rows.size());
    writer.flush(session);
    crc = writer.crc();
  }
  EXPECT_EQ(crc, crc32c(bytes_of(rows)));
  const Hdf5Session session;
  const Hid file = open_hdf5(session, path);
  const StoredArray array = open_array(session, file.get(), path, "t");
  EXPECT_TRUE(array.contiguous());
  EXPECT_EQ(read_array<std::int64_t>(session, array, path), rows);
}

TEST(TableWriter, MoreRowsThanAnnouncedAreAProgrammerError) {
  const TemporaryFolder folder;
  const Hdf5Session session;
  const Hid file(H5Fcreate((folder / "t.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
                 H5Fclose);
  TableWriter writer(session, file.get(), "t.h5", "t", H5T_STD_U8LE, {2});
  const std::vector<std::byte> rows(3);
  expect_error(ExitCode::kInternal, {"too many rows"}, [&] { writer.append(session, rows); });
}

}  // namespace
}  // namespace lockstep::data
