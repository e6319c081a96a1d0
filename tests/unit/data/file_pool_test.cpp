// Many files are read through few handles, from many threads.
#include "file_pool.h"

#include "data_fixture.h"

#include <thread>

namespace lockstep::data {
namespace {

TEST(FilePool, MoreFilesThanHandles) {
  const TemporaryFolder folder;
  FilePool pool(4);
  constexpr std::size_t kFiles = 100;
  for (std::size_t i = 0; i < kFiles; ++i) {
    const auto path = folder / std::to_string(i);
    write_file(path, "file" + std::to_string(i + 100));
    EXPECT_EQ(pool.add(path), i);
  }
  std::vector<int> wrong(3);
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < wrong.size(); ++thread) {
    threads.emplace_back([&, thread] {
      for (std::size_t i = 0; i < 2000; ++i) {
        const std::size_t file = (i * 37 + thread * 11) % kFiles;
        std::string text(3, ' ');
        pool.read(file, 4, std::as_writable_bytes(std::span(text.data(), text.size())));
        wrong[thread] += text == std::to_string(file + 100) ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(3));
  EXPECT_LE(pool.num_open(), 4U + 32U);
}

TEST(FilePool, FailuresNameTheFile) {
  const TemporaryFolder folder;
  FilePool pool(1);
  write_file(folder / "a", "x");
  pool.add(folder / "a");
  expect_error(ExitCode::kIo, {(folder / "b").string(), "No such file"}, [&] {
    FilePool other(1);
    other.add(folder / "b");
  });
  const std::size_t missing = pool.add(folder / "b");
  std::vector<std::byte> out(2);
  expect_error(ExitCode::kIo, {(folder / "b").string()}, [&] { pool.read(missing, 0, out); });
  expect_error(
      ExitCode::kIo, {(folder / "a").string(), "too early"}, [&] { pool.read(0, 0, out); });
}

}  // namespace
}  // namespace lockstep::data
