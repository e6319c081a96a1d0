// Plain and gzip give the same bytes; a damaged end is never a short read.
#include "gzip_reader.h"

#include "data_fixture.h"

#include <zlib.h>

namespace lockstep::data {
namespace {

std::string gzip(const std::string& text, const std::filesystem::path& path) {
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  return read_file(path);
}

TEST(GzipReader, PlainAndGzipAreTheSame) {
  const TemporaryFolder folder;
  const std::string text = "some content, some content";
  write_file(folder / "plain", text);
  gzip(text, folder / "packed");
  for (const char* name : {"plain", "packed"}) {
    GzipReader reader(folder / name);
    std::string read(text.size(), ' ');
    reader.read(std::as_writable_bytes(std::span(read)));
    reader.expect_end();
    EXPECT_EQ(read, text);
  }
}

TEST(GzipReader, EveryTruncationAndEveryWrongTrailerIsAnError) {
  const TemporaryFolder folder;
  const std::string text(1000, 'q');
  std::string packed = gzip(text, folder / "packed");
  const auto read_all = [&] {
    GzipReader reader(folder / "cut");
    std::string read(text.size(), ' ');
    reader.read(std::as_writable_bytes(std::span(read)));
    reader.expect_end();
  };
  for (std::size_t size = 0; size < packed.size(); ++size) {
    write_file(folder / "cut", packed.substr(0, size));
    expect_error(ExitCode::kBadData, {(folder / "cut").string()}, read_all);
  }
  packed[packed.size() - 6] = static_cast<char>(packed[packed.size() - 6] ^ 1);
  write_file(folder / "cut", packed);
  expect_error(ExitCode::kBadData, {"damaged"}, read_all);
}

TEST(GzipReader, MissingFileAndFolderAreErrors) {
  const TemporaryFolder folder;
  expect_error(
      ExitCode::kIo, {"nothing", "No such file"}, [&] { GzipReader r(folder / "nothing"); });
  expect_error(ExitCode::kIo, {"folder"}, [&] { GzipReader r(folder.path()); });
}

}  // namespace
}  // namespace lockstep::data
