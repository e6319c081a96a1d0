// Rows become one contiguous data set, byte for byte, whose place is known when it is made.
#include "table_writer.h"

#include "data_fixture.h"
#include "image_writer.h"
#include "stored_array.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <numeric>

namespace lockstep::data {
namespace {

struct OpenFile {
  explicit OpenFile(const std::filesystem::path& name)
      : path(name),
        hdf5(create_data_file(session, name)),
        bytes(open(name.c_str(), O_RDWR | O_CLOEXEC)) {}
  Hdf5Session session;
  std::filesystem::path path;
  Hid hdf5;
  FileHandle bytes;
};

TEST(TableWriter, ManySmallRowsMakeOneTable) {
  const TemporaryFolder folder;
  const auto path = folder / "t.h5";
  std::vector<std::int64_t> rows(300000);
  std::iota(rows.begin(), rows.end(), -7);
  {
    OpenFile file(path);
    TableWriter writer(file.session, "t", H5T_STD_I64LE);
    TableWriter pairs(file.session, "pairs", H5T_STD_I64LE, 2);
    for (std::size_t i = 0; i < rows.size(); i += 1000) {
      writer.append(std::as_bytes(std::span(rows).subspan(i, 1000)));
    }
    pairs.append(bytes_of(rows));
    EXPECT_EQ(writer.rows(), rows.size());
    EXPECT_EQ(pairs.rows(), rows.size() / 2);
    EXPECT_EQ(writer.crc(), crc32c(bytes_of(rows)));
    writer.write(file.session, file.hdf5.get(), file.bytes, path);
    pairs.write(file.session, file.hdf5.get(), file.bytes, path);
  }
  const Hdf5Session session;
  const Hid file = open_hdf5(session, path);
  const StoredArray array = open_array(session, file.get(), path, "t");
  EXPECT_TRUE(array.contiguous());
  EXPECT_EQ(array.offset_bytes % 4096, 0U);
  EXPECT_EQ(read_array<std::int64_t>(session, array, path), rows);
  const StoredArray pairs = open_array(session, file.get(), path, "pairs");
  EXPECT_EQ(pairs.shape_text(), "(150000, 2)");
  EXPECT_EQ(read_array<std::int64_t>(session, pairs, path), rows);
}

TEST(TableWriter, EmptyTableIsADataSetToo) {
  const TemporaryFolder folder;
  const auto path = folder / "t.h5";
  {
    OpenFile file(path);
    const TableWriter writer(file.session, "t", H5T_IEEE_F32LE, 4);
    writer.write(file.session, file.hdf5.get(), file.bytes, path);
  }
  const Hdf5Session session;
  const Hid file = open_hdf5(session, path);
  const StoredArray array = open_array(session, file.get(), path, "t");
  EXPECT_EQ(array.shape_text(), "(0, 4)");
  EXPECT_TRUE(read_array<float>(session, array, path).empty());
}

TEST(TableWriter, HalfARowIsAProgrammerError) {
  const Hdf5Session session;
  TableWriter writer(session, "t", H5T_STD_I64LE);
  const std::vector<std::byte> rows(3);
  expect_error(ExitCode::kInternal, {"whole rows"}, [&] { writer.append(rows); });
}

TEST(TableWriter, WriteThatTheDiskRefusesIsAnError) {
  const TemporaryFolder folder;
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit bound{1000, 1000};
    setrlimit(RLIMIT_FSIZE, &bound);
    const auto path = folder / "b";
    const FileHandle file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    int code = 0;
    try {
      write_exactly(file, path, 0, std::vector<std::byte>(1000));
      write_exactly(file, path, 500, std::vector<std::byte>(1000));
    } catch (const Error& error) {
      code = static_cast<int>(error.code());
    }
    _exit(code);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(ExitCode::kIo));
}

}  // namespace
}  // namespace lockstep::data
