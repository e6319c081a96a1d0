#include "file_links.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace lockstep::data {
namespace {

constexpr int kMaxSoftLinks = 16;
constexpr hsize_t kMaxNamesListed = 10;
constexpr std::size_t kMaxTargetBytes = 64 << 10;

struct Place {
  const Hdf5Session& session;
  hid_t file;
  const std::filesystem::path& path;
  const std::string& key;

  Error refuse(const std::string& what) const {
    return data_error(format("{}: data set \"{}\" {}", path.string(), key, what));
  }
};

std::string names_in_root(hid_t file) {
  std::string names;
  H5G_info_t info{};
  if (H5Gget_info(file, &info) < 0) return names;
  for (hsize_t i = 0; i < std::min(info.nlinks, kMaxNamesListed); ++i) {
    std::array<char, 256> name{};
    if (H5Lget_name_by_idx(
            file, ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(), name.size(), H5P_DEFAULT) < 0) {
      break;
    }
    names += (names.empty() ? "" : ", ") + std::string(name.data());
  }
  return names;
}

std::vector<std::string> components(std::string_view link) {
  std::vector<std::string> parts;
  while (!link.empty()) {
    const std::size_t end = std::min(link.find('/'), link.size());
    const std::string_view part = link.substr(0, end);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    link.remove_prefix(std::min(end + 1, link.size()));
  }
  return parts;
}

// The target of a soft link as a path from the root.
std::string soft_target(const Place& place,
                        const std::string& link,
                        std::size_t size,
                        const std::string& parent) {
  if (size > kMaxTargetBytes) throw place.refuse("has a link that cannot be read");
  std::string target(size + 1, '\0');
  if (H5Lget_val(place.file, link.c_str(), target.data(), target.size(), H5P_DEFAULT) < 0) {
    throw place.refuse(format("has a link that cannot be read ({})", hdf5_reason(place.session)));
  }
  target.resize(std::min(target.find('\0'), target.size()));
  return !target.empty() && target[0] == '/' ? target : parent + "/" + target;
}

// Walks every link on the way and refuses those that leave the file.
void check_way(const Place& place, const std::string& link, int soft_links) {
  if (soft_links > kMaxSoftLinks) throw place.refuse("is behind links that go round in a circle");
  const std::vector<std::string> parts = components(link);
  if (parts.empty()) throw place.refuse("has no name: data.image_key and data.label_key name it");
  std::string parent;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string here = parent + "/" + parts[i];
    H5L_info_t info{};
    if (H5Lexists(place.file, here.c_str(), H5P_DEFAULT) <= 0 ||
        H5Lget_info(place.file, here.c_str(), &info, H5P_DEFAULT) < 0) {
      throw place.refuse(
          format("is missing; the file holds: {}. data.image_key and "
                 "data.label_key name data sets of foreign files",
                 names_in_root(place.file)));
    }
    if (info.type == H5L_TYPE_SOFT) {
      std::string target = soft_target(place, here, info.u.val_size, parent);
      for (std::size_t rest = i + 1; rest < parts.size(); ++rest) target += "/" + parts[rest];
      return check_way(place, target, soft_links + 1);
    }
    if (info.type != H5L_TYPE_HARD) {
      throw place.refuse("is a link that leaves the file: copy the data into this file");
    }
    parent = here;
  }
}

struct Names {
  std::vector<std::string> names;
  std::size_t limit = 0;
  bool failed = false;
};

herr_t take_object(hid_t, const char* name, const H5O_info_t* info, void* data) {
  auto& found = *static_cast<Names*>(data);
  // No exception may pass through the C library.
  try {
    if (info->type == H5O_TYPE_DATASET) found.names.emplace_back(name);
  } catch (...) {
    found.failed = true;
  }
  return found.failed ? -1 : found.names.size() >= found.limit ? 1 : 0;
}

}  // namespace

void check_links(const Hdf5Session& session,
                 hid_t file,
                 const std::filesystem::path& path,
                 const std::string& key) {
  check_way({session, file, path, key}, key, 0);
}

bool has_link(const Hdf5Session&, hid_t file, const std::string& key) {
  std::string here;
  for (const std::string& part : components(key)) {
    here += "/" + part;
    if (H5Lexists(file, here.c_str(), H5P_DEFAULT) <= 0) return false;
  }
  return !here.empty();
}

std::vector<std::string> data_set_names(const Hdf5Session& session,
                                        hid_t file,
                                        const std::filesystem::path& path,
                                        std::size_t limit) {
  Names found{{}, limit};
  if (H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, take_object, &found, H5O_INFO_BASIC) < 0) {
    throw data_error(format("{}: its names cannot be listed ({}): make or copy it again",
                            path.string(),
                            hdf5_reason(session)));
  }
  return std::move(found.names);
}

}  // namespace lockstep::data
