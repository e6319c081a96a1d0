// COCO's annotation file as plain rows, each value checked by itself. How the rows fit together is
// checked by the source. Read as a stream: polygons, which are most of a file, are never kept.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::data {

struct CocoImage {
  std::int64_t id = -1;
  std::string file;
  std::int32_t height = 0;  // 0: not said
  std::int32_t width = 0;
};

struct CocoBox {
  std::int64_t id = -1;  // -1: none
  std::int64_t image_id = -1;
  std::int64_t category_id = -1;
  std::array<double, 4> bbox{};  // x, y, width, height
  double area = -1;              // -1: not said
  bool crowd = false;
};

struct CocoCategory {
  std::int64_t id = -1;
  std::string name;
};

struct CocoRows {
  std::vector<CocoImage> images;
  std::vector<CocoBox> boxes;
  std::vector<CocoCategory> categories;
};

// `name` of the file, for messages. Throws: Error(kBadData) naming the object ("annotations[17]")
// or, where the text is no JSON, the byte.
CocoRows read_coco(std::FILE* file, const std::string& name);
CocoRows read_coco(std::string_view text, const std::string& name);

}  // namespace lockstep::data
