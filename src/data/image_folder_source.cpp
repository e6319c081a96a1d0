// One folder a class, pictures below.
#include "image_source.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace lockstep::data {
namespace {

constexpr int kMaxDepth = 32;
constexpr std::array<std::string_view, 3> kEndings{".jpg", ".jpeg", ".png"};

bool is_picture(const std::string& name) {
  return std::any_of(kEndings.begin(), kEndings.end(), [&](std::string_view ending) {
    if (name.size() <= ending.size()) return false;
    return std::equal(ending.rbegin(), ending.rend(), name.rbegin(), [](char a, char b) {
      return a == std::tolower(static_cast<unsigned char>(b));
    });
  });
}

class FolderReader {
 public:
  explicit FolderReader(const std::filesystem::path& folder) : folder_(folder) {
    parts_.task = "classification";
  }

  ImageSourceParts read() {
    for (const SourceFolder::Entry& entry : folder_.list("")) {
      if (entry.kind == SourceFolder::EntryKind::kFolder) {
        add_class(entry.name);
      } else if (entry.kind == SourceFolder::EntryKind::kLink) {
        throw data_error(format("{}: {} is a symbolic link, which is not followed",
                                folder_.root().string(),
                                printable(entry.name)));
      } else {
        parts_.left_out.add("files outside of the folders of classes", entry.name);
      }
    }
    if (parts_.classes.empty()) {
      throw data_error(format("{}: there is no folder in it: one for each class is expected",
                              folder_.root().string()));
    }
    return std::move(parts_);
  }

  SourceFolder take_folder() { return std::move(folder_); }

 private:
  void add_class(const std::string& name) {
    if (!is_utf8(name)) {
      throw data_error(
          format("{}: the folder {} has a name that is not UTF-8 and cannot name a "
                 "class",
                 folder_.root().string(),
                 printable(name)));
    }
    parts_.classes.push_back(name);
    const std::int64_t before = parts_.table.size();
    add_below(name, 0);
    if (parts_.table.size() == before) parts_.left_out.add("folders without pictures", name);
  }

  // Recursion ends at kMaxDepth, and links are not followed.
  void add_below(const std::string& folder, int depth) {
    if (depth == kMaxDepth) {
      throw data_error(format("{}: {}: more than {} folders deep",
                              folder_.root().string(),
                              printable(folder),
                              kMaxDepth));
    }
    for (const SourceFolder::Entry& entry : folder_.list(folder)) {
      const std::string name = folder + "/" + entry.name;
      if (entry.kind == SourceFolder::EntryKind::kFolder) {
        add_below(name, depth + 1);
      } else if (is_picture(entry.name)) {
        // Also a link or a pipe by such a name: opening it says what is wrong with it.
        ImageTable::Item item;
        item.label = std::ssize(parts_.classes) - 1;
        item.sample_id = parts_.table.size();
        parts_.table.add(name, item);
      } else {
        parts_.left_out.add("files that are not named .jpg, .jpeg or .png", name);
      }
    }
  }

  SourceFolder folder_;
  ImageSourceParts parts_;
};

}  // namespace

std::unique_ptr<SampleSource> open_image_folder(const std::filesystem::path& folder,
                                                const ImageImportOptions& options) {
  FolderReader reader(folder);
  ImageSourceParts parts = reader.read();
  return make_image_source(reader.take_folder(), std::move(parts), options);
}

}  // namespace lockstep::data
