// verify_dataset finds every damaged sample and a digest that is not that of the content.
#include "data_fixture.h"
#include "file_dataset.h"

namespace lockstep::data {
namespace {

TEST(Verify, SoundFileIsGood) {
  const TemporaryFolder folder;
  for (const bool detection : {false, true}) {
    const auto path = folder / (detection ? "d.h5" : "c.h5");
    write_small(path, 9, detection);
    const Verification result = verify_dataset(path, Options{}, {});
    EXPECT_TRUE(result.good());
    EXPECT_TRUE(result.has_checksums);
    EXPECT_EQ(result.num_samples, 9);
    EXPECT_GT(result.bytes_read, 9U * 256);
  }
}

TEST(Verify, DamagedSamplesAreListed) {
  const TemporaryFolder folder;
  const auto path = folder / "c.h5";
  write_small(path, 9);
  std::string bytes = read_file(path);
  const auto offset = open_file_dataset(path, Options{})->tables().arrays[0].offset_bytes;
  for (const std::size_t sample : {2U, 7U}) bytes[offset + sample * 256] = '\x01';
  write_file(path, bytes);
  const Verification result = verify_dataset(path, Options{}, {});
  EXPECT_FALSE(result.good());
  EXPECT_EQ(result.bad_samples, (std::vector<std::int64_t>{2, 7}));
  EXPECT_FALSE(result.digest_matches);
}

TEST(Verify, DigestOfOtherContentIsFound) {
  const TemporaryFolder folder;
  const auto path = folder / "c.h5";
  write_small(path, 9);
  set_attribute(path, "content_digest", std::string(64, '0'));
  const Verification result = verify_dataset(path, Options{}, {});
  EXPECT_EQ(result.num_bad, 0);
  EXPECT_FALSE(result.good());
}

TEST(Verify, ForeignFileIsReadWithoutChecksums) {
  const TemporaryFolder folder;
  write_foreign(folder / "f.h5", {});
  const Verification result = verify_dataset(folder / "f.h5", Options{}, {});
  EXPECT_TRUE(result.good());
  EXPECT_FALSE(result.has_checksums);
}

}  // namespace
}  // namespace lockstep::data
