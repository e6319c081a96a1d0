#include "coco_reader.h"

#include "source_files.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <nlohmann/json.hpp>

#include <cmath>
#include <optional>

namespace lockstep::data {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 32;
constexpr std::int64_t kMaxId = std::int64_t{1} << 53;  // above, a double does not hold them all
constexpr double kMaxCoordinate = 1e7;
constexpr double kMaxArea = kMaxCoordinate * kMaxCoordinate;
constexpr std::int64_t kMaxSide = 1 << 24;
constexpr std::size_t kMaxNameBytes = 4096;

// Depths of what is read: {"images": [{"id": 1, "bbox": [...]}]}.
constexpr int kInFile = 1;
constexpr int kInSection = 2;
constexpr int kInObject = 3;
constexpr int kInBox = 4;

enum class Section { kNone, kImages, kAnnotations, kCategories, kOther };

enum class Field : unsigned {
  kOther = 0,
  kId = 1,
  kFileName = 2,
  kHeight = 4,
  kWidth = 8,
  kImageId = 16,
  kCategoryId = 32,
  kBox = 64,
  kArea = 128,
  kCrowd = 256,
  kName = 512,
};

unsigned bit(Field field) { return static_cast<unsigned>(field); }

struct Known {
  const char* key;
  Field field;
  Section section;
  bool required;
};

constexpr std::array<Known, 13> kKnown{{
    {"id", Field::kId, Section::kImages, true},
    {"file_name", Field::kFileName, Section::kImages, true},
    {"height", Field::kHeight, Section::kImages, false},
    {"width", Field::kWidth, Section::kImages, false},
    {"id", Field::kId, Section::kAnnotations, false},
    {"image_id", Field::kImageId, Section::kAnnotations, true},
    {"category_id", Field::kCategoryId, Section::kAnnotations, true},
    {"bbox", Field::kBox, Section::kAnnotations, true},
    {"area", Field::kArea, Section::kAnnotations, false},
    {"iscrowd", Field::kCrowd, Section::kAnnotations, false},
    {"id", Field::kId, Section::kCategories, true},
    {"name", Field::kName, Section::kCategories, true},
    {"", Field::kOther, Section::kOther, false},
}};

Section section_of(const std::string& key) {
  if (key == "images") return Section::kImages;
  if (key == "annotations") return Section::kAnnotations;
  if (key == "categories") return Section::kCategories;
  return Section::kOther;
}

// A scalar of JSON.
struct Value {
  std::optional<double> number;
  std::optional<std::int64_t> whole;
  const std::string* text = nullptr;
  std::optional<bool> boolean;
};

class Rows : public nlohmann::json_sax<Json> {
 public:
  explicit Rows(const std::string& name) : name_(name) {}

  CocoRows take() {
    if (!seen_[static_cast<std::size_t>(Section::kImages)]) fail("it has no images");
    if (!seen_[static_cast<std::size_t>(Section::kCategories)]) fail("it has no categories");
    return std::move(rows_);
  }

  bool null() override { return value({}); }
  bool boolean(bool given) override {
    Value scalar;
    scalar.boolean = given;
    return value(scalar);
  }
  bool number_integer(number_integer_t given) override {
    Value scalar;
    scalar.number = static_cast<double>(given);
    scalar.whole = given;
    return value(scalar);
  }
  bool number_unsigned(number_unsigned_t given) override {
    Value scalar;
    scalar.number = static_cast<double>(given);
    scalar.whole = static_cast<std::int64_t>(std::min<number_unsigned_t>(given, INT64_MAX));
    return value(scalar);
  }
  bool number_float(number_float_t given, const string_t&) override {
    Value scalar;
    scalar.number = given;
    return value(scalar);
  }
  bool string(string_t& given) override {
    Value scalar;
    scalar.text = &given;
    return value(scalar);
  }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override {
    open();
    if (ours() && depth_ == kInSection) fail(format("{} is not a list", section_name_));
    if (ours() && depth_ == kInObject) begin_object();
    if (depth_ > kInObject) check_no_container();
    return true;
  }
  bool end_object() override {
    if (ours() && depth_ == kInObject) end_of_object();
    close();
    return true;
  }
  bool start_array(std::size_t) override {
    open();
    if (depth_ == kInFile) fail("it is a list and not an object with images and annotations");
    if (ours() && depth_ == kInObject) fail_element();
    if (ours() && depth_ == kInBox && field_ == Field::kBox) {
      in_box_ = true;
      num_box_values_ = 0;
    } else if (depth_ > kInObject) {
      check_no_container();
    }
    return true;
  }
  bool end_array() override {
    if (in_box_ && depth_ == kInBox) end_of_box();
    close();
    return true;
  }

  bool key(string_t& given) override {
    if (depth_ == kInFile) begin_section(given);
    if (ours() && depth_ == kInObject) begin_field(given);
    return true;
  }

  bool parse_error(std::size_t position,
                   const std::string&,
                   const Json::exception& error) override {
    std::string text = error.what();
    const std::size_t end = text.find("] ");
    if (end != std::string::npos) text.erase(0, end + 2);
    fail(format("byte {}: {}", position, printable(text)));
  }

 private:
  bool ours() const { return section_ != Section::kNone && section_ != Section::kOther; }

  [[noreturn]] void fail(const std::string& what) const {
    const std::string place =
        ours() && index_ >= 0 ? format("{}[{}]: ", section_name_, index_) : std::string();
    throw data_error(format("{}: {}{}", name_, place, what));
  }
  [[noreturn]] void fail_field(const std::string& what) const {
    fail(format("\"{}\" {}", field_name_, what));
  }
  [[noreturn]] void fail_element() {
    ++index_;
    fail("it is not an object");
  }

  void open() {
    if (++depth_ > kMaxDepth) fail(format("nested more than {} deep", kMaxDepth));
  }
  void close() {
    --depth_;
    if (depth_ == kInFile) section_ = Section::kNone;
    if (depth_ == kInObject) in_box_ = false;
  }

  void begin_section(const std::string& key) {
    section_ = section_of(key);
    section_name_ = key;
    index_ = -1;
    field_ = Field::kOther;
    if (!ours()) return;
    bool& seen = seen_[static_cast<std::size_t>(section_)];
    if (seen) fail(format("\"{}\" is there twice", key));
    seen = true;
  }

  void begin_object() {
    ++index_;
    fields_ = 0;
    field_ = Field::kOther;
    image_ = {};
    box_ = {};
    category_ = {};
  }

  void begin_field(const std::string& key) {
    field_ = Field::kOther;
    for (const Known& known : kKnown) {
      if (known.section == section_ && key == known.key) field_ = known.field;
    }
    field_name_ = key;
    if (field_ == Field::kOther) return;
    if ((fields_ & bit(field_)) != 0) fail_field("is there twice");
    fields_ |= bit(field_);
  }

  // A list or an object where one value is expected.
  void check_no_container() const {
    if (!ours() || depth_ > kInBox + (in_box_ ? 1 : 0)) return;
    if (in_box_) fail_field("holds more than numbers");
    if (field_ == Field::kBox) fail_field("is not a list of four numbers");
    if (field_ != Field::kOther) fail_field("is not one value");
  }

  void end_of_object() {
    for (const Known& known : kKnown) {
      if (known.section == section_ && known.required && (fields_ & bit(known.field)) == 0) {
        fail(format("it has no \"{}\"", known.key));
      }
    }
    if (section_ == Section::kImages) rows_.images.push_back(std::move(image_));
    if (section_ == Section::kAnnotations) rows_.boxes.push_back(box_);
    if (section_ == Section::kCategories) rows_.categories.push_back(std::move(category_));
  }

  void end_of_box() {
    if (num_box_values_ != 4) {
      fail_field(format("holds {} numbers, not x, y, width and height", num_box_values_));
    }
    if (box_.bbox[2] < 0 || box_.bbox[3] < 0) fail_field("has a negative size");
  }

  bool value(const Value& given) {
    if (depth_ == 0) fail("it is one value and not an object with images and annotations");
    if (!ours()) return true;
    if (depth_ == kInFile) fail(format("\"{}\" is not a list", section_name_));
    if (depth_ == kInSection) fail_element();
    if (depth_ == kInBox && in_box_) add_box_value(given);
    if (depth_ == kInObject) set_field(given);
    return true;
  }

  void add_box_value(const Value& given) {
    if (num_box_values_ < box_.bbox.size()) {
      box_.bbox[num_box_values_] = number(given, -kMaxCoordinate, kMaxCoordinate);
    }
    ++num_box_values_;
  }

  void set_field(const Value& given) {
    switch (field_) {
      case Field::kOther:
        return;
      case Field::kId:
        return set_id(whole(given, kMaxId));
      case Field::kFileName:
        image_.file = text(given);
        return;
      case Field::kHeight:
        image_.height = side(given);
        return;
      case Field::kWidth:
        image_.width = side(given);
        return;
      case Field::kImageId:
        box_.image_id = whole(given, kMaxId);
        return;
      case Field::kCategoryId:
        box_.category_id = whole(given, kMaxId);
        return;
      case Field::kBox:
        fail_field("is not a list of four numbers");
      case Field::kArea:
        box_.area = number(given, 0, kMaxArea);
        return;
      case Field::kCrowd:
        box_.crowd = given.boolean ? *given.boolean : whole(given, 1) == 1;
        return;
      case Field::kName:
        category_.name = text(given);
        return;
    }
  }

  void set_id(std::int64_t id) { image_.id = box_.id = category_.id = id; }

  std::int32_t side(const Value& given) const {
    return static_cast<std::int32_t>(whole(given, kMaxSide));
  }

  std::int64_t whole(const Value& given, std::int64_t largest) const {
    if (!given.whole) fail_field("is not a whole number");
    if (*given.whole < 0 || *given.whole > largest) {
      fail_field(format("is not between 0 and {}", largest));
    }
    return *given.whole;
  }

  double number(const Value& given, double low, double high) const {
    if (!given.number || !std::isfinite(*given.number))
      fail_field("holds something that is no number");
    if (*given.number < low || *given.number > high) {
      fail_field(format("holds {}, which is not between {} and {}", *given.number, low, high));
    }
    return *given.number;
  }

  const std::string& text(const Value& given) const {
    if (given.text == nullptr) fail_field("is no text");
    if (given.text->empty()) fail_field("is empty");
    if (given.text->size() > kMaxNameBytes) fail_field(format("is longer than {}", kMaxNameBytes));
    return *given.text;
  }

  std::string name_;
  CocoRows rows_;
  int depth_ = 0;
  Section section_ = Section::kNone;
  std::string section_name_;
  std::array<bool, 5> seen_{};
  std::int64_t index_ = -1;
  Field field_ = Field::kOther;
  std::string field_name_;
  unsigned fields_ = 0;
  bool in_box_ = false;
  std::size_t num_box_values_ = 0;
  CocoImage image_;
  CocoBox box_;
  CocoCategory category_;
};

}  // namespace

CocoRows read_coco(std::FILE* file, const std::string& name) {
  Rows rows(name);
  Json::sax_parse(file, &rows);
  return rows.take();
}

CocoRows read_coco(std::string_view text, const std::string& name) {
  Rows rows(name);
  Json::sax_parse(text.begin(), text.end(), &rows);
  return rows.take();
}

}  // namespace lockstep::data
