// The door to pugixml, which expands no entities of a document and opens nothing.
#include "voc_reader.h"

#include "source_files.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <pugixml.hpp>

#include <charconv>
#include <cmath>

namespace lockstep::data {
namespace {

constexpr double kMaxCoordinate = 1e7;
constexpr std::size_t kMaxNameBytes = 4096;

class VocReader {
 public:
  VocReader(std::string_view xml, const std::string& file) : file_(file) {
    const pugi::xml_parse_result result = document_.load_buffer(xml.data(), xml.size());
    if (!result) {
      throw data_error(format(
          "{}: byte {}: {}", printable(file), std::int64_t{result.offset}, result.description()));
    }
  }

  VocAnnotation read() {
    const pugi::xml_node root = document_.child("annotation");
    if (!root) fail("it has no <annotation>");
    VocAnnotation annotation;
    const pugi::xml_node size = root.child("size");
    annotation.size = {side(size, "height"), side(size, "width")};
    for (const pugi::xml_node& node : root.children("object")) {
      ++object_;
      annotation.objects.push_back(object(node));
    }
    return annotation;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    const std::string place = object_ > 0 ? format("object {}: ", object_) : std::string();
    throw data_error(format("{}: {}{}", printable(file_), place, what));
  }

  VocObject object(const pugi::xml_node& node) const {
    VocObject object;
    object.name = text(node, "name");
    if (object.name.empty()) fail("it has no <name>");
    if (object.name.size() > kMaxNameBytes || !is_utf8(object.name)) {
      fail("its <name> is too long or not UTF-8");
    }
    const pugi::xml_node box = node.child("bndbox");
    if (!box) fail("it has no <bndbox>");
    object.xmin = coordinate(box, "xmin");
    object.ymin = coordinate(box, "ymin");
    object.xmax = coordinate(box, "xmax");
    object.ymax = coordinate(box, "ymax");
    if (object.xmax < object.xmin || object.ymax < object.ymin) {
      fail("its <bndbox> has a negative size");
    }
    return object;
  }

  static std::string text(const pugi::xml_node& parent, const char* key) {
    std::string_view found = parent.child(key).child_value();
    const char* const blank = " \t\r\n";
    const std::size_t begin = found.find_first_not_of(blank);
    if (begin == std::string_view::npos) return {};
    return std::string(found.substr(begin, found.find_last_not_of(blank) - begin + 1));
  }

  double coordinate(const pugi::xml_node& box, const char* key) const {
    const std::string found = text(box, key);
    double number = 0;
    const auto result = std::from_chars(found.data(), found.data() + found.size(), number);
    const bool whole = result.ec == std::errc{} && result.ptr == found.data() + found.size();
    if (!whole || !std::isfinite(number) || std::abs(number) > kMaxCoordinate) {
      fail(format(
          "<{}> is \"{}\", which is no number that a picture can hold", key, printable(found)));
    }
    return number;
  }

  std::int32_t side(const pugi::xml_node& size, const char* key) const {
    if (!size.child(key)) return 0;
    const double number = coordinate(size, key);
    if (number < 0 || number != std::floor(number)) fail(format("<{}> is no size", key));
    return static_cast<std::int32_t>(number);
  }

  const std::string& file_;
  pugi::xml_document document_;
  int object_ = 0;
};

}  // namespace

VocAnnotation read_voc(std::string_view xml, const std::string& file) {
  return VocReader(xml, file).read();
}

}  // namespace lockstep::data
