// Checksums and digests: CRC-32C for samples (hardware when there), SHA-256 for whole files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace lockstep {

// CRC-32C (Castagnoli, RFC 3720 B.4); `seed` is the checksum of the bytes before.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed = 0);

// SHA-256 (FIPS 180-4) in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const std::byte> bytes);
  // 64 hexadecimal digits. The object must not be used afterwards.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::span<const std::byte> bytes);

template <class T>
std::span<const std::byte> bytes_of(const T& container) {
  return std::as_bytes(std::span(container.data(), container.size()));
}

}  // namespace lockstep
