// A folder in the form of Pascal VOC: its annotations, split files and pictures, put together.
#include "image_source.h"
#include "voc_reader.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <sstream>
#include <utility>

namespace lockstep::data {
namespace {

constexpr std::uint64_t kMaxXmlBytes = 16U << 20;
constexpr std::uint64_t kMaxSplitBytes = 256U << 20;
constexpr std::array kEndings{".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG"};

constexpr const char* kAnnotationFolder = "Annotations";

std::string annotation_file(const std::string& name) {
  return format("{}/{}.xml", kAnnotationFolder, name);
}

std::string picture_file(const std::string& name, const char* ending) {
  return format("JPEGImages/{}{}", name, ending);
}

bool ends_with_xml(const std::string& name) { return name.size() > 4 && name.ends_with(".xml"); }

class VocFolder {
 public:
  VocFolder(const std::filesystem::path& root,
            const std::string& split,
            const std::vector<std::string>& classes,
            BrokenImages on_broken)
      : folder_(root), on_broken_(on_broken) {
    parts_.task = "detection";
    parts_.split = split;
    parts_.classes = classes;
  }

  ImageSourceParts read() {
    const std::vector<std::string> all = all_names();
    if (parts_.classes.empty()) find_classes(all);
    for (std::size_t i = 0; i < parts_.classes.size(); ++i) {
      numbers_[parts_.classes[i]] = static_cast<std::int32_t>(i);
    }
    for (const std::string& name : parts_.split.empty() ? all : split_names()) add(name);
    return std::move(parts_);
  }

  SourceFolder take_folder() { return std::move(folder_); }

 private:
  // Names of the annotations without folder and ending.
  std::vector<std::string> all_names() const {
    std::vector<std::string> names;
    for (const SourceFolder::Entry& entry : folder_.list(kAnnotationFolder)) {
      if (ends_with_xml(entry.name)) names.push_back(entry.name.substr(0, entry.name.size() - 4));
    }
    return names;
  }

  // One name a line; what follows a blank (VOC's lists of one class have 1 or -1) is not read.
  std::vector<std::string> split_names() const {
    const std::string file = format("ImageSets/Main/{}.txt", parts_.split);
    std::istringstream lines(folder_.read_text(file, kMaxSplitBytes));
    std::vector<std::string> names;
    std::set<std::string> seen;
    for (std::string line; std::getline(lines, line);) {
      const std::string name = line.substr(0, line.find_first_of(" \t\r"));
      if (name.empty()) continue;
      if (!seen.insert(name).second) {
        throw data_error(format("{}: {}: {} is there twice",
                                folder_.root().string(),
                                printable(file),
                                printable(name)));
      }
      names.push_back(name);
    }
    return names;
  }

  // Of all annotations, so that the splits of a folder number their classes alike.
  void find_classes(const std::vector<std::string>& names) {
    std::set<std::string> found;
    for (const std::string& name : names) {
      VocAnnotation annotation;
      if (!read_annotation(name, annotation).empty()) continue;
      for (const VocObject& object : annotation.objects) found.insert(object.name);
    }
    parts_.classes.assign(found.begin(), found.end());
    if (found.empty()) {
      throw data_error(format("{}: no annotation names an object", folder_.root().string()));
    }
  }

  // Why it is left out; empty: it was read.
  std::string read_annotation(const std::string& name, VocAnnotation& annotation) const {
    const std::string file = annotation_file(name);
    try {
      const std::string xml = folder_.read_text(file, kMaxXmlBytes);
      annotation = read_voc(xml, (folder_.root() / file).string());
      return {};
    } catch (const Error& error) {
      if (error.code() != ExitCode::kBadData || on_broken_ == BrokenImages::kError) throw;
      return error.what();
    }
  }

  std::string picture_of(const std::string& name) const {
    for (const char* ending : kEndings) {
      const std::string file = picture_file(name, ending);
      if (folder_.has_file(file)) return file;
    }
    return picture_file(name, kEndings[0]);  // opening it says what is wrong
  }

  void add(const std::string& name) {
    VocAnnotation annotation;
    if (!read_annotation(name, annotation).empty()) {
      return parts_.left_out.add("pictures with a broken annotation", annotation_file(name));
    }
    ImageTable::Item item;
    item.sample_id = parts_.table.size();
    if (annotation.size.height > 0 && annotation.size.width > 0) item.expected = annotation.size;
    parts_.table.add(picture_of(name), item);
    for (const VocObject& object : annotation.objects) add_box(object, name);
  }

  void add_box(const VocObject& object, const std::string& name) {
    if (!object.has_area()) return parts_.left_out.add("boxes of no area", name + ".xml");
    const auto number = numbers_.find(object.name);
    if (number == numbers_.end()) {
      return parts_.left_out.add(
          format("boxes of \"{}\", which --classes does not name", printable(object.name)), name);
    }
    TableBox box;
    box.corners = {static_cast<float>(object.xmin - 1),
                   static_cast<float>(object.ymin - 1),
                   static_cast<float>(object.xmax),
                   static_cast<float>(object.ymax)};
    box.name = number->second;
    box.area = (box.corners[2] - box.corners[0]) * (box.corners[3] - box.corners[1]);
    parts_.table.add_box(box);
  }

  SourceFolder folder_;
  BrokenImages on_broken_;
  ImageSourceParts parts_;
  std::map<std::string, std::int32_t> numbers_;
};

}  // namespace

std::unique_ptr<SampleSource> open_voc(const std::filesystem::path& folder,
                                       const std::string& split,
                                       const std::vector<std::string>& classes,
                                       const ImageImportOptions& options) {
  VocFolder reader(folder, split, classes, options.on_broken);
  ImageSourceParts parts = reader.read();
  return make_image_source(reader.take_folder(), std::move(parts), options);
}

}  // namespace lockstep::data
