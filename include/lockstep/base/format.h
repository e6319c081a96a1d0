// Text formatting with {}-placeholders (std::format's syntax), so that no header needs fmt.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace lockstep {

using FormatArg =
    std::variant<bool, char, std::int64_t, std::uint64_t, float, double, std::string_view>;

template <class T>
FormatArg make_format_arg(const T& value) {
  using Plain = std::remove_cvref_t<T>;
  if constexpr (std::same_as<Plain, bool> || std::same_as<Plain, char> ||
                std::same_as<Plain, float>) {
    return value;
  } else if constexpr (std::is_enum_v<Plain>) {
    return static_cast<std::int64_t>(value);
  } else if constexpr (std::signed_integral<Plain>) {
    return static_cast<std::int64_t>(value);
  } else if constexpr (std::unsigned_integral<Plain>) {
    return static_cast<std::uint64_t>(value);
  } else if constexpr (std::floating_point<Plain>) {
    return static_cast<double>(value);
  } else {
    return std::string_view(value);
  }
}

std::string format_args(std::string_view text, std::span<const FormatArg> args);

// format("{} of {:.1f} %", 3, 12.5). Numbers, characters, text, enumerations (as their number).
// Throws: Error(kInternal) that shows a malformed text.
template <class... Args>
std::string format(std::string_view text, const Args&... args) {
  const std::initializer_list<FormatArg> list{make_format_arg(args)...};
  return format_args(text, std::span<const FormatArg>(list.begin(), list.size()));
}

}  // namespace lockstep
