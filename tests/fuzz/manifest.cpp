// Manifests of data sets in several files: as they come, and with the checksum made to fit, without
// which nothing behind its comparison would be reached.
#include "manifest.h"

#include "refusal.h"

#include <lockstep/base/hash.h>

#include <nlohmann/json.hpp>

namespace {

using Json = nlohmann::json;

std::string sealed(std::string_view text) {
  bool too_deep = false;
  Json json = Json::parse(
      text,
      [&too_deep](int depth, Json::parse_event_t, Json&) {
        too_deep = too_deep || depth > 16;
        return !too_deep;
      },
      false);
  if (too_deep || !json.is_object()) return std::string(text);
  json.erase("crc32c");
  // Text that is no UTF-8 cannot be written again.
  const std::string content = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  json = Json::parse(content);
  json["crc32c"] = lockstep::crc32c(lockstep::bytes_of(content));
  return json.dump();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  lockstep::expect_taken_or_refused([text] { lockstep::data::parse_manifest(text, "train.json"); });
  const std::string fitting = sealed(text);
  return lockstep::expect_taken_or_refused(
      [&fitting] { lockstep::data::parse_manifest(fitting, "train.json"); });
}
