#include "records/json_fields.h"

#include <lockstep/base/format.h>

#include <limits>

namespace lockstep::records {

std::string Place::text() const {
  return line == 0 ? path.string() : format("{}:{}", path.string(), line);
}

JsonFields::JsonFields(const nlohmann::json& json, Place place) : json_(json), place_(place) {
  if (!json_.is_object()) fail("a JSON object is expected");
}

void JsonFields::fail(const std::string& cause) const {
  throw data_error(format("{}: {}", place_.text(), cause));
}

const nlohmann::json& JsonFields::at(const char* key) const {
  const auto found = json_.find(key);
  if (found == json_.end()) fail(format("the key \"{}\" is missing", key));
  return *found;
}

std::int64_t JsonFields::integer(const char* key) const {
  const nlohmann::json& value = at(key);
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!value.is_number_integer() ||
      (value.is_number_unsigned() && value.get<std::uint64_t>() > kLargest)) {
    fail(format("\"{}\" must be an integer", key));
  }
  return value.get<std::int64_t>();
}

std::int64_t JsonFields::count(const char* key) const {
  const std::int64_t value = integer(key);
  if (value < 0) fail(format("\"{}\" is {}, less than 0", key, value));
  return value;
}

double JsonFields::number(const char* key) const {
  const nlohmann::json& value = at(key);
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!value.is_number()) fail(format("\"{}\" must be a number or null", key));
  return value.get<double>();
}

double JsonFields::seconds(const char* key) const {
  const double value = number(key);
  if (value < 0) fail(format("\"{}\" is {} s, less than 0", key, value));
  return value;
}

std::string JsonFields::text(const char* key) const {
  const nlohmann::json& value = at(key);
  if (!value.is_string()) fail(format("\"{}\" must be a text", key));
  return value.get<std::string>();
}

std::vector<std::pair<std::string, double>> JsonFields::numbers(const char* key) const {
  std::vector<std::pair<std::string, double>> out;
  const auto found = json_.find(key);
  if (found == json_.end() || found->is_null()) return out;
  if (!found->is_object()) fail(format("\"{}\" must be an object", key));
  for (const auto& [name, value] : found->items()) {
    if (value.is_number() || value.is_null()) {
      out.emplace_back(
          name, value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>());
    }
  }
  return out;
}

void JsonFields::check_schema(std::int64_t known) const {
  const std::int64_t version = integer("schema");
  if (version != known) {
    fail(
        format("schema version {}, but this program reads version {}; use the lockstep that wrote "
               "the run",
               version,
               known));
  }
}

}  // namespace lockstep::records
