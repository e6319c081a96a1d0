#include "records/json_line.h"

#include <array>
#include <charconv>
#include <cmath>

namespace lockstep::records {

void JsonLine::begin() { text_.assign(1, '{'); }

void JsonLine::key(std::string_view key) {
  if (text_.back() != '{') text_.push_back(',');
  text_.push_back('"');
  text_.append(key);
  text_.append("\":");
}

void JsonLine::integer(std::string_view key, std::int64_t value) {
  this->key(key);
  std::array<char, 24> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  text_.append(digits.data(), result.ptr);
}

void JsonLine::number(std::string_view key, double value) {
  this->key(key);
  if (!std::isfinite(value)) {
    text_.append("null");
    return;
  }
  std::array<char, 32> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  text_.append(digits.data(), result.ptr);
}

void JsonLine::text(std::string_view key, std::string_view value) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  this->key(key);
  text_.push_back('"');
  for (const char symbol : value) {
    const auto code = static_cast<unsigned char>(symbol);
    if (symbol == '"' || symbol == '\\') {
      text_.push_back('\\');
      text_.push_back(symbol);
    } else if (code < 0x20) {
      text_.append("\\u00");
      text_.push_back(kHex[code >> 4U]);
      text_.push_back(kHex[code & 15U]);
    } else {
      text_.push_back(symbol);
    }
  }
  text_.push_back('"');
}

void JsonLine::begin_object(std::string_view key) {
  this->key(key);
  text_.push_back('{');
}

void JsonLine::end_object() { text_.push_back('}'); }

std::string_view JsonLine::end() {
  text_.append("}\n");
  return text_;
}

}  // namespace lockstep::records
