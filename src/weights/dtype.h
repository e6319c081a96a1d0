// Number types of safetensors files, by name and size.
#pragma once

#include <lockstep/weights/safetensors.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace lockstep::weights {

// nullopt: no such type.
std::optional<DType> find_dtype(std::string_view name);

// nullopt: an extent is negative or the product does not fit 64 bits.
std::optional<std::uint64_t> tensor_size_bytes(DType dtype, std::span<const std::int64_t> shape);

}  // namespace lockstep::weights
