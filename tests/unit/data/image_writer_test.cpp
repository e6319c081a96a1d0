// Images are streamed to where their data set will be, or deflated one by one.
#include "image_writer.h"

#include "data_fixture.h"
#include "stored_array.h"

#include <fcntl.h>

#include <array>

namespace lockstep::data {
namespace {

std::vector<std::byte> pattern(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 256);
  return bytes;
}

class ImageWriterTest : public ::testing::Test {
 protected:
  // Writes `bytes` in pieces and another data set behind them, and returns how they are stored.
  StoredArray write(const std::vector<std::byte>& bytes, std::size_t piece) {
    {
      const Hdf5Session session;
      file_.close();
      const Hid hdf5 = create_data_file(session, path_);
      const FileHandle file(open(path_.c_str(), O_RDWR | O_CLOEXEC));
      const auto writer = make_contiguous_images(hdf5.get(), file, path_);
      for (std::size_t i = 0; i < bytes.size(); i += piece) {
        writer->append(std::span(bytes).subspan(i, std::min(piece, bytes.size() - i)));
      }
      writer->finish(session, "b", std::array{hsize_t{bytes.size()}});
      make_extent(session, hdf5.get(), path_, "next", H5T_STD_U8LE, std::array{hsize_t{100}});
    }
    const Hdf5Session session;
    file_ = open_hdf5(session, path_);
    return open_array(session, file_.get(), path_, "b");
  }

  void TearDown() override {
    const Hdf5Session session;
    file_.close();
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "i.h5";
  Hid file_;
};

TEST_F(ImageWriterTest, EverySizeIsReadBack) {
  // Around the alignment threshold (64 KiB) and the buffer (1 MiB).
  for (const std::size_t size :
       {1U, 5000U, 65535U, 65536U, 1U << 20, (1U << 20) + 1, 3U << 20, 5000000U}) {
    const auto bytes = pattern(size);
    for (const std::size_t piece : {std::size_t{100000}, size}) {
      const Hdf5Session session;
      const StoredArray array = write(bytes, piece);
      EXPECT_TRUE(array.contiguous());
      EXPECT_EQ(array.size_bytes, size);
      if (size > 65536) {
        EXPECT_EQ(array.offset_bytes, 4096U);
      }
      const auto found = read_array<std::uint8_t>(session, array, path_);
      EXPECT_TRUE(std::ranges::equal(std::as_bytes(std::span(found)), bytes)) << size;
    }
  }
}

TEST_F(ImageWriterTest, DeflatedChunksHoldOneSampleEach) {
  const auto bytes = pattern(5 * 600);
  {
    const Hdf5Session session;
    const Hid hdf5 = create_data_file(session, path_);
    // Seven were announced, five came.
    const auto writer = make_deflated_images(
        session, hdf5.get(), path_, "images", 7, std::array{hsize_t{20}, hsize_t{10}, hsize_t{3}});
    for (std::size_t i = 0; i < 5; ++i) writer->append(std::span(bytes).subspan(600 * i, 600));
    writer->finish(session, "images", std::array{hsize_t{5}, hsize_t{20}, hsize_t{10}, hsize_t{3}});
  }
  const Hdf5Session session;
  file_ = open_hdf5(session, path_);
  const StoredArray array = open_array(session, file_.get(), path_, "images");
  EXPECT_EQ(array.layout, "chunked");
  EXPECT_EQ(array.chunk, (std::vector<std::uint64_t>{1, 20, 10, 3}));
  EXPECT_EQ(array.shape_text(), "(5, 20, 10, 3)");
  EXPECT_EQ(array.filters, std::vector<std::string>{"deflate"});
  const auto found = read_array<std::uint8_t>(session, array, path_);
  EXPECT_TRUE(std::ranges::equal(std::as_bytes(std::span(found)), bytes));
}

}  // namespace
}  // namespace lockstep::data
