// Reads the header by events, so that nesting, repeats and wrong types end at once.
#include "weights/header.h"

#include "weights/dtype.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <nlohmann/json.hpp>

#include <set>

namespace lockstep::weights {
namespace {

constexpr std::size_t kMaxDimensions = 64;
constexpr std::size_t kMaxShownKey = 120;

std::string shown(const std::string& key) {
  return key.size() <= kMaxShownKey ? key : key.substr(0, kMaxShownKey) + "...";
}

// Where the reader stands: each place allows few events.
enum class Place { kStart, kRoot, kMetadata, kEntry, kShape, kOffsets, kEnd };

class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(std::string file) : file_(std::move(file)) {}

  Header take() { return std::move(header_); }

  bool null() override { return refuse("null where none may be"); }
  bool boolean(bool) override { return refuse("true or false where none may be"); }
  bool number_integer(number_integer_t value) override {
    return refuse(format("the number {}", value));
  }
  bool number_float(number_float_t, const string_t& text) override {
    return refuse(format("the number {}", shown(text)));
  }
  bool binary(binary_t&) override { return refuse("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ != Place::kShape && place_ != Place::kOffsets) {
      return refuse(format("the number {}", value));
    }
    if (value > static_cast<std::uint64_t>(INT64_MAX)) return refuse("a number beyond 2^63");
    if (numbers_.size() >= kMaxDimensions) return refuse("more than 64 numbers in a list");
    numbers_.push_back(static_cast<std::int64_t>(value));
    return true;
  }

  bool string(string_t& value) override {
    if (place_ == Place::kMetadata) {
      header_.metadata[field_] = value;
      return true;
    }
    if (place_ != Place::kEntry || field_ != "dtype") return refuse("a text where none may be");
    const std::optional<DType> dtype = find_dtype(value);
    if (!dtype) return refuse(format("the unknown dtype {}", shown(value)));
    entry_.dtype = *dtype;
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::kStart) {
      place_ = Place::kRoot;
      return true;
    }
    if (place_ != Place::kRoot) return refuse("an object where none may be");
    place_ = key_ == "__metadata__" ? Place::kMetadata : Place::kEntry;
    fields_.clear();
    entry_ = {};
    return true;
  }

  bool key(string_t& name) override {
    if (place_ == Place::kRoot) {
      key_ = name;
      if (!keys_.insert(name).second) return refuse("a key given twice");
      return true;
    }
    if (!fields_.insert(name).second) return refuse(format("{} given twice", shown(name)));
    if (place_ == Place::kEntry && name != "dtype" && name != "shape" && name != "data_offsets") {
      return refuse(format("the unknown field {}", shown(name)));
    }
    field_ = name;
    return true;
  }

  bool end_object() override {
    if (place_ == Place::kRoot) {
      place_ = Place::kEnd;
      return true;
    }
    if (place_ == Place::kEntry) {
      if (fields_.size() != 3) return refuse("no dtype, shape or data_offsets");
      header_.entries.emplace(key_, std::move(entry_));
    }
    place_ = Place::kRoot;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::kEntry || field_ == "dtype") return refuse("a list where none may be");
    place_ = field_ == "shape" ? Place::kShape : Place::kOffsets;
    numbers_.clear();
    return true;
  }

  bool end_array() override {
    if (place_ == Place::kShape) {
      entry_.shape = numbers_;
    } else {
      if (numbers_.size() != 2) return refuse("data_offsets that are no pair");
      entry_.begin = static_cast<std::uint64_t>(numbers_[0]);
      entry_.end = static_cast<std::uint64_t>(numbers_[1]);
    }
    place_ = Place::kEntry;
    return true;
  }

  bool parse_error(std::size_t position,
                   const std::string&,
                   const nlohmann::detail::exception&) override {
    throw data_error(
        format("{}: the header is no valid JSON at its byte {}; the file is damaged "
               "or no safetensors file",
               file_,
               position));
  }

 private:
  bool refuse(const std::string& what) const {
    throw data_error(
        format("{}: the header holds {} at key \"{}\"; the file is damaged or no "
               "safetensors file",
               file_,
               what,
               shown(key_)));
  }

  std::string file_;
  Header header_;
  Place place_ = Place::kStart;
  std::string key_;
  std::string field_;
  std::set<std::string> keys_;
  std::set<std::string> fields_;
  HeaderEntry entry_;
  std::vector<std::int64_t> numbers_;
};

}  // namespace

Header parse_header(std::string_view text, const std::string& file) {
  HeaderReader reader(file);
  if (!text.starts_with('{')) {
    throw data_error(
        format("{}: the header does not begin with a brace; no safetensors file", file));
  }
  nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
  return reader.take();
}

}  // namespace lockstep::weights
