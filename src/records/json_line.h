// One JSON object as a line of text, built in a buffer that is reused. Knows JSON's syntax and no
// schema. Keys are written as they are: they must need no escape.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lockstep::records {

class JsonLine {
 public:
  // No allocation while a line stays within `capacity_bytes`.
  explicit JsonLine(std::size_t capacity_bytes) { text_.reserve(capacity_bytes); }

  void begin();
  void integer(std::string_view key, std::int64_t value);
  // Shortest text that reads back as the same double; null when not finite.
  void number(std::string_view key, double value);
  void text(std::string_view key, std::string_view value);
  void begin_object(std::string_view key);
  void end_object();
  // Closes the object and ends the line. The view holds until the next begin().
  std::string_view end();

 private:
  void key(std::string_view key);

  std::string text_;
};

}  // namespace lockstep::records
