// Many files are read through few that are open; one that changed meanwhile is refused.
#include "library_pool.h"

#include "foreign_fixture.h"

namespace lockstep::data {
namespace {

std::size_t add(LibraryPool& pool, const std::filesystem::path& path) {
  const Hdf5Session session;
  Hid file = open_hdf5(session, path);
  StoredArray array = open_array(session, file.get(), path, "images");
  return pool.add(session, path, array, std::move(file));
}

hsize_t first_side(LibraryPool& pool, std::size_t number) {
  const Hdf5Session session;
  const Hid space(H5Dget_space(pool.dataset(session, number)), H5Sclose);
  hsize_t sides[3] = {};
  H5Sget_simple_extent_dims(space.get(), sides, nullptr);
  return sides[0];
}

TEST(LibraryPool, MoreFilesThanAreOpen) {
  const TemporaryFolder folder;
  LibraryPool pool(3);
  for (hsize_t i = 0; i < 10; ++i) {
    const auto path = folder / std::to_string(i);
    write_foreign(path, {.shape = {i + 1, 4, 5}});
    EXPECT_EQ(add(pool, path), i);
  }
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(first_side(pool, i * 7 % 10), i * 7 % 10 + 1);
    EXPECT_EQ(pool.num_open(), 3U);
  }
}

TEST(LibraryPool, AFileThatChangedIsRefused) {
  const TemporaryFolder folder;
  LibraryPool pool(1);
  write_foreign(folder / "a", {});
  write_foreign(folder / "b", {});
  const std::size_t first = add(pool, folder / "a");
  add(pool, folder / "b");
  std::filesystem::remove(folder / "a");
  expect_error(ExitCode::kIo, {(folder / "a").string()}, [&] { first_side(pool, first); });
  write_foreign(folder / "a", {.shape = {7, 4, 5}});
  expect_error(
      ExitCode::kBadData, {(folder / "a").string(), "changed"}, [&] { first_side(pool, first); });
}

}  // namespace
}  // namespace lockstep::data
