// Samples of one size by multiplication, samples of differing sizes by their offsets.
#include "range_source.h"

#include "data_fixture.h"

namespace lockstep::data {
namespace {

class RangeSourceTest : public ::testing::Test {
 protected:
  RangeSourceTest() {
    write_file(folder_ / "f", "0123456789abcdef");
    pool_->add(folder_ / "f");
  }
  static std::string read(const RangeSource& source, std::int64_t index, std::size_t size) {
    std::string text(size, ' ');
    source.read(index, std::as_writable_bytes(std::span(text.data(), text.size())));
    return text;
  }
  TemporaryFolder folder_;
  std::shared_ptr<FilePool> pool_ = std::make_shared<FilePool>(1);
};

TEST_F(RangeSourceTest, OneSize) {
  const RangeSource source(pool_, 0, {2, 4, {}});
  EXPECT_EQ(read(source, 0, 4), "2345");
  EXPECT_EQ(read(source, 2, 4), "abcd");
  EXPECT_EQ(source.place(2), "bytes 10 to 13");
}

TEST_F(RangeSourceTest, DifferingSizes) {
  const std::vector<std::uint64_t> offsets{0, 1, 6, 9};
  const RangeSource source(pool_, 0, {3, 0, offsets});
  EXPECT_EQ(read(source, 0, 1), "3");
  EXPECT_EQ(read(source, 1, 5), "45678");
  EXPECT_EQ(read(source, 2, 3), "9ab");
  EXPECT_EQ(source.place(1), "bytes 4 to 8");
}

}  // namespace
}  // namespace lockstep::data
