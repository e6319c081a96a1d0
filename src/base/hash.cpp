#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/hash.h>

#include <openssl/evp.h>

#include <array>
#include <cstring>

namespace lockstep {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // reflected Castagnoli

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = value;
  }
  for (std::size_t table = 1; table < 8; ++table) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t previous = tables[table - 1][byte];
      tables[table][byte] = (previous >> 8) ^ tables[0][previous & 0xFF];
    }
  }
  return tables;
}

// Slicing by eight, for processors without the instruction.
std::uint32_t crc32c_tables(std::span<const std::byte> bytes, std::uint32_t state) {
  static const Tables tables = make_tables();
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, 8);
    word ^= state;
    state = 0;
    for (std::size_t byte = 0; byte < 8; ++byte) {
      state ^= tables[7 - byte][(word >> (8 * byte)) & 0xFF];
    }
  }
  for (; i < bytes.size(); ++i) {
    state = (state >> 8) ^ tables[0][(state ^ static_cast<std::uint32_t>(bytes[i])) & 0xFF];
  }
  return state;
}

using Crc32cFunction = std::uint32_t (*)(std::span<const std::byte>, std::uint32_t);

}  // namespace

std::uint32_t crc32c_hardware(std::span<const std::byte> bytes, std::uint32_t state);
bool crc32c_hardware_available();

namespace {

Crc32cFunction choose_crc32c() {
  return crc32c_hardware_available() ? crc32c_hardware : crc32c_tables;
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed) {
  static const Crc32cFunction function = choose_crc32c();
  return ~function(bytes, ~seed);
}

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() {
    LOCKSTEP_CHECK(context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1,
                   "SHA-256 cannot be started");
  }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  LOCKSTEP_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1,
                 "SHA-256 update failed");
}

std::string Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  LOCKSTEP_CHECK(EVP_DigestFinal_ex(state_->context, digest.data(), &length) == 1,
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
