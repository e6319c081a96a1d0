// COCO's rows, put together: pictures with their boxes, categories as classes.
#include "coco_reader.h"
#include "image_source.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace lockstep::data {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

CocoRows read_rows(const std::filesystem::path& path) {
  FileHandle handle = open_for_reading(path);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(fdopen(handle.get(), "rb"),
                                                             std::fclose);
  if (!file) throw io_error(format("cannot read {}", path.string()), errno);
  handle.release();
  std::setvbuf(file.get(), nullptr, _IOFBF, kBufferBytes);
  CocoRows rows = read_coco(file.get(), path.string());
  if (std::ferror(file.get()) != 0) throw io_error(format("cannot read {}", path.string()), EIO);
  return rows;
}

// Ids of a list, in order, with the place of each.
class Index {
 public:
  // Throws: Error(kBadData) naming both places of an id that is there twice.
  template <class Row>
  Index(const std::string& file, const char* list, const std::vector<Row>& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].id >= 0) places_.emplace_back(rows[i].id, i);
    }
    std::sort(places_.begin(), places_.end());
    for (std::size_t i = 1; i < places_.size(); ++i) {
      if (places_[i].first != places_[i - 1].first) continue;
      throw data_error(format("{}: {}[{}]: id {} is already that of {}[{}]",
                              file,
                              list,
                              places_[i].second,
                              places_[i].first,
                              list,
                              places_[i - 1].second));
    }
  }

  // Rank of the id among all, and its place in the list; nothing when there is no such id.
  struct Found {
    std::size_t rank = 0;
    std::size_t place = 0;
  };
  std::optional<Found> find(std::int64_t id) const {
    const auto at = std::lower_bound(places_.begin(), places_.end(), std::pair(id, std::size_t{0}));
    if (at == places_.end() || at->first != id) return std::nullopt;
    return Found{static_cast<std::size_t>(at - places_.begin()), at->second};
  }
  std::size_t place(std::size_t rank) const { return places_[rank].second; }
  std::size_t size() const { return places_.size(); }

 private:
  std::vector<std::pair<std::int64_t, std::size_t>> places_;
};

class Joiner {
 public:
  Joiner(const std::string& file, CocoRows rows)
      : file_(file),
        rows_(std::move(rows)),
        images_(file, "images", rows_.images),
        categories_(file, "categories", rows_.categories) {
    const Index only_checked(file, "annotations", rows_.boxes);
  }

  ImageSourceParts join() {
    ImageSourceParts parts;
    parts.task = "detection";
    parts.classes = classes();
    group_boxes();
    for (std::size_t i = 0; i < rows_.images.size(); ++i) {
      const CocoImage& image = rows_.images[i];
      ImageTable::Item item;
      item.sample_id = image.id;
      if (image.height > 0 && image.width > 0) item.expected = {image.height, image.width};
      parts.table.add(image.file, item);
      for (std::size_t k = firsts_[i]; k < firsts_[i + 1]; ++k) {
        add_box(rows_.boxes[order_[k]], image.file, parts);
      }
    }
    return parts;
  }

 private:
  std::vector<std::string> classes() const {
    std::vector<std::string> names;
    std::set<std::string> seen;
    for (std::size_t rank = 0; rank < categories_.size(); ++rank) {
      const std::size_t place = categories_.place(rank);
      const std::string& name = rows_.categories[place].name;
      if (!seen.insert(name).second) {
        throw data_error(format(
            "{}: categories[{}]: the name \"{}\" is already given", file_, place, printable(name)));
      }
      names.push_back(name);
    }
    return names;
  }

  // The boxes of image i become order_[firsts_[i]] to order_[firsts_[i + 1] - 1], as in the file.
  void group_boxes() {
    std::vector<std::size_t> image_of;
    firsts_.assign(rows_.images.size() + 1, 0);
    for (std::size_t k = 0; k < rows_.boxes.size(); ++k) {
      const auto found = images_.find(rows_.boxes[k].image_id);
      if (!found) fail_unknown(k, "image_id", rows_.boxes[k].image_id, "images");
      image_of.push_back(found->place);
      ++firsts_[found->place + 1];
    }
    for (std::size_t i = 0; i + 1 < firsts_.size(); ++i) firsts_[i + 1] += firsts_[i];
    order_.resize(rows_.boxes.size());
    std::vector<std::size_t> next(firsts_.begin(), firsts_.end() - 1);
    for (std::size_t k = 0; k < image_of.size(); ++k) order_[next[image_of[k]]++] = k;
  }

  void add_box(const CocoBox& row, const std::string& image, ImageSourceParts& parts) const {
    const auto found = categories_.find(row.category_id);
    if (!found) {
      const auto place = static_cast<std::size_t>(&row - rows_.boxes.data());
      fail_unknown(place, "category_id", row.category_id, "categories");
    }
    const auto& [x, y, width, height] = row.bbox;
    if (width == 0 || height == 0) return parts.left_out.add("boxes of no area", image);
    TableBox box;
    box.corners = {static_cast<float>(x),
                   static_cast<float>(y),
                   static_cast<float>(x + width),
                   static_cast<float>(y + height)};
    box.name = static_cast<std::int32_t>(found->rank);
    box.area = static_cast<float>(row.area >= 0 ? row.area : width * height);
    box.crowd = row.crowd;
    parts.table.add_box(box);
  }

  [[noreturn]] void fail_unknown(std::size_t place,
                                 const char* key,
                                 std::int64_t id,
                                 const char* list) const {
    throw data_error(
        format("{}: annotations[{}]: \"{}\" {} is not in {}", file_, place, key, id, list));
  }

  std::string file_;
  CocoRows rows_;
  Index images_;
  Index categories_;
  std::vector<std::size_t> firsts_;
  std::vector<std::size_t> order_;
};

}  // namespace

std::unique_ptr<SampleSource> open_coco(const std::filesystem::path& annotations,
                                        const std::filesystem::path& images,
                                        const ImageImportOptions& options) {
  ImageSourceParts parts = Joiner(annotations.string(), read_rows(annotations)).join();
  return make_image_source(SourceFolder(images), std::move(parts), options);
}

}  // namespace lockstep::data
