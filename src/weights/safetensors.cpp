// Layout of a safetensors file: u64 header length (little endian), header, data.
#include "weights/dtype.h"
#include "weights/header.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>
#include <lockstep/weights/safetensors.h>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace lockstep::weights {
namespace {

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kAlignment = 8;

using Named = std::pair<const std::string, TensorView>;

std::uint64_t load_length(std::span<const std::byte> file) {
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length |= std::to_integer<std::uint64_t>(file[i]) << (8 * i);
  }
  return length;
}

std::string_view header_text(std::span<const std::byte> file, const std::string& name) {
  if (file.size() < kLengthBytes) {
    throw data_error(format("{} has {} bytes, too few for a safetensors file", name, file.size()));
  }
  const std::uint64_t length = load_length(file);
  if (length > kMaxHeaderBytes) {
    throw data_error(format("{}: a header of {} bytes is over the limit of {}; no safetensors file",
                            name,
                            length,
                            kMaxHeaderBytes));
  }
  if (length > file.size() - kLengthBytes) {
    throw data_error(
        format("{}: its header of {} bytes is longer than the file of {}; copy it again",
               name,
               length,
               file.size()));
  }
  return {reinterpret_cast<const char*>(file.data()) + kLengthBytes,
          static_cast<std::size_t>(length)};
}

// Sizes agree with shapes, and the data is covered once from its first byte to its last.
void check_layout(const Header& header, std::uint64_t data_bytes, const std::string& name) {
  std::vector<const std::pair<const std::string, HeaderEntry>*> order;
  for (const auto& item : header.entries) {
    const HeaderEntry& entry = item.second;
    const auto size = tensor_size_bytes(entry.dtype, entry.shape);
    if (entry.end < entry.begin || !size || *size != entry.end - entry.begin) {
      throw data_error(
          format("{}: the bytes {} to {} of \"{}\" do not fit its shape; the file is "
                 "damaged",
                 name,
                 entry.begin,
                 entry.end,
                 item.first));
    }
    order.push_back(&item);
  }
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return std::pair(a->second.begin, a->second.end) < std::pair(b->second.begin, b->second.end);
  });
  std::uint64_t covered = 0;
  for (const auto* item : order) {
    if (item->second.begin != covered) {
      throw data_error(
          format("{}: the data of \"{}\" begins at byte {} instead of {} (a hole or an "
                 "overlap); the file is damaged",
                 name,
                 item->first,
                 item->second.begin,
                 covered));
    }
    covered = item->second.end;
  }
  if (covered != data_bytes) {
    throw data_error(format("{}: {} bytes of data where its header counts {}; copy the file again",
                            name,
                            data_bytes,
                            covered));
  }
}

std::span<const std::byte> map_file(const std::filesystem::path& path) {
  const FileHandle file = open_for_reading(path);
  const auto size = static_cast<std::size_t>(file_size_bytes(file, path));
  if (size == 0) return {};
  void* at = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (at == MAP_FAILED) throw io_error(format("cannot map {}", path.string()), errno);
  return {static_cast<const std::byte*>(at), size};
}

void unmap(std::span<const std::byte> mapping) {
  if (!mapping.empty()) munmap(const_cast<std::byte*>(mapping.data()), mapping.size());
}

std::vector<const Named*> in_file_order(const std::map<std::string, TensorView>& tensors) {
  std::vector<const Named*> order;
  for (const Named& item : tensors) {
    const auto size = tensor_size_bytes(item.second.dtype, item.second.shape);
    if (!size || *size != item.second.bytes.size()) {
      throw internal_error(format("the bytes of tensor {} do not fit its shape", item.first));
    }
    order.push_back(&item);
  }
  std::stable_sort(order.begin(), order.end(), [](const Named* a, const Named* b) {
    return dtype_size_bytes(a->second.dtype) > dtype_size_bytes(b->second.dtype);
  });
  return order;
}

std::string make_header(const std::vector<const Named*>& order,
                        const std::map<std::string, std::string>& metadata,
                        const std::filesystem::path& path) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t at = 0;
  for (const Named* item : order) {
    const TensorView& tensor = item->second;
    header[item->first] = {{"dtype", dtype_name(tensor.dtype)},
                           {"shape", tensor.shape},
                           {"data_offsets", {at, at + tensor.bytes.size()}}};
    at += tensor.bytes.size();
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) {
    throw data_error(
        format("cannot write {}: a name or a metadata value is not UTF-8", path.string()));
  }
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  return text;
}

void write_file(const std::filesystem::path& path,
                const std::string& header,
                const std::vector<const Named*>& order) {
  const FileHandle file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) throw io_error(format("cannot create {}", path.string()), errno);
  std::array<std::byte, kLengthBytes> length{};
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length[i] = static_cast<std::byte>(header.size() >> (8 * i));
  }
  write_all(file, path, length);
  write_all(file, path, std::as_bytes(std::span(header.data(), header.size())));
  for (const Named* item : order) write_all(file, path, item->second.bytes);
}

}  // namespace

SafetensorsContent parse_safetensors(std::span<const std::byte> file, const std::string& name) {
  const std::string_view text = header_text(file, name);
  Header header = parse_header(text, name);
  const std::span<const std::byte> data = file.subspan(kLengthBytes + text.size());
  check_layout(header, data.size(), name);
  SafetensorsContent content;
  content.metadata = std::move(header.metadata);
  for (auto& [key, entry] : header.entries) {
    content.tensors.emplace(key,
                            TensorView{entry.dtype,
                                       std::move(entry.shape),
                                       data.subspan(entry.begin, entry.end - entry.begin)});
  }
  return content;
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : path_(path), mapping_(map_file(path)) {
  try {
    content_ = parse_safetensors(mapping_, path.string());
  } catch (...) {
    unmap(mapping_);
    throw;
  }
}

SafetensorsFile::~SafetensorsFile() { unmap(mapping_); }

void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  LOCKSTEP_CHECK(!tensors.contains("__metadata__"), "__metadata__ is no name for a tensor");
  const std::vector<const Named*> order = in_file_order(tensors);
  const std::string header = make_header(order, metadata, path);
  const std::filesystem::path temporary = temporary_beside(path);
  try {
    write_file(temporary, header, order);
    publish_file(temporary, path);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

}  // namespace lockstep::weights
