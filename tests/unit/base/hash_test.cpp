// SHA-256 against the examples of FIPS 180-4 (CRC-32C has crc32c_test.cpp).
#include <lockstep/base/hash.h>

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

std::string digest_of(const std::string& text) { return sha256_hex(bytes_of(text)); }

TEST(Sha256, PublishedValues) {
  EXPECT_EQ(digest_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(digest_of(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesGiveTheDigestOfTheWhole) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 7);
  Sha256 hash;
  for (std::size_t begin = 0, length = 0; begin < text.size(); begin += length, length += 3) {
    hash.update(bytes_of(text.substr(begin, length)));
  }
  EXPECT_EQ(hash.finish(), digest_of(text));
}

TEST(Sha256, StateMovesWithTheObject) {
  Sha256 first;
  first.update(bytes_of(std::string("ab")));
  Sha256 second(std::move(first));
  second.update(bytes_of(std::string("c")));
  EXPECT_EQ(second.finish(), digest_of("abc"));
}

TEST(BytesOf, CoversTheWholeContainer) {
  const std::vector<std::uint32_t> words{1, 2, 3};
  EXPECT_EQ(bytes_of(words).size(), 12U);
}

}  // namespace
}  // namespace lockstep
