#include "crc32c_paths.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/hash.h>

#include <openssl/evp.h>

#include <array>

namespace lockstep {
namespace {

using Crc32cFunction = std::uint32_t (*)(std::span<const std::byte>, std::uint32_t);

Crc32cFunction choose_crc32c() {
  return crc32c_hardware_available() ? crc32c_hardware : crc32c_tables;
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed) {
  static const Crc32cFunction function = choose_crc32c();
  return ~function(bytes, ~seed);
}

struct Sha256::State {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
  State() {
    LOCKSTEP_CHECK(context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1,
                   "SHA-256 cannot be started");
  }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  LOCKSTEP_CHECK(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1,
                 "SHA-256 update failed");
}

std::string Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  LOCKSTEP_CHECK(EVP_DigestFinal_ex(state_->context.get(), digest.data(), &length) == 1,
                 "SHA-256 cannot be finished");
  std::string text;
  for (unsigned int i = 0; i < length; ++i) text += format("{:02x}", unsigned{digest[i]});
  return text;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

}  // namespace lockstep
