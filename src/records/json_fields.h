// Typed access to the keys of one JSON object; what is wrong is said with the file and the line.
#pragma once

#include <lockstep/base/error.h>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::records {

// Where an object stands; line 0 means the whole file.
struct Place {
  const std::filesystem::path& path;
  std::int64_t line = 0;

  std::string text() const;  // "ranks/rank_00000.jsonl:12"
};

class JsonFields {
 public:
  // Throws: Error(kBadData) when `json` is no object.
  JsonFields(const nlohmann::json& json, Place place);

  bool has(const char* key) const { return json_.contains(key); }
  // Throws: Error(kBadData) when the key is missing, of another type or does not fit.
  std::int64_t integer(const char* key) const;
  std::int64_t count(const char* key) const;  // an integer of 0 or more
  double number(const char* key) const;       // null is NaN
  double seconds(const char* key) const;      // a number of 0 or more, or NaN
  std::string text(const char* key) const;
  // The numbers of the object under `key`, empty when there is none; other members are left out.
  std::vector<std::pair<std::string, double>> numbers(const char* key) const;

  // Throws: Error(kBadData) unless "schema" is `known`.
  void check_schema(std::int64_t known) const;
  [[noreturn]] void fail(const std::string& cause) const;

 private:
  const nlohmann::json& at(const char* key) const;

  const nlohmann::json& json_;
  Place place_;
};

}  // namespace lockstep::records
