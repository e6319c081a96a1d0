// One annotation of Pascal VOC as it stands in its XML file, each value checked by itself.
#pragma once

#include <lockstep/data/image.h>

#include <string>
#include <string_view>
#include <vector>

namespace lockstep::data {

struct VocObject {
  std::string name;
  // 1-based, inclusive, as in the file; fractions occur.
  double xmin = 0;
  double ymin = 0;
  double xmax = 0;
  double ymax = 0;

  bool has_area() const { return xmax > xmin && ymax > ymin; }
};

struct VocAnnotation {
  ImageSize size;  // 0: not said
  std::vector<VocObject> objects;
};

// `file` is its name, for messages. Throws: Error(kBadData) naming the object ("object 3").
VocAnnotation read_voc(std::string_view xml, const std::string& file);

}  // namespace lockstep::data
