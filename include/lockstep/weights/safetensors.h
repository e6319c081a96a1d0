// safetensors files: named tensors in one file, read by mapping, written atomically. The format's
// every rule is checked on reading, so that a damaged or hostile file is an Error and never more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::weights {

enum class DType {
  kBool,
  kU8,
  kI8,
  kF8E4M3,
  kF8E5M2,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kF64,
  kI64,
  kU64,
};

std::string_view dtype_name(DType dtype);
std::uint64_t dtype_size_bytes(DType dtype);

// A tensor somewhere else in memory, in C order. Not aligned in files of other writers.
struct TensorView {
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;  // empty: a scalar
  std::span<const std::byte> bytes;
};

// What a file says of itself. Views point into the bytes that were parsed.
struct SafetensorsContent {
  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> metadata;
};

// Parses a whole file that lies in memory; `name` stands in messages.
// Throws: Error(kBadData) naming the file and the key: header longer than 100 MB or than the file,
// text that is no such JSON, unknown dtype, negative or overflowing shape, offsets that overlap,
// leave a hole, disagree with the shape or do not end with the file, a key given twice.
SafetensorsContent parse_safetensors(std::span<const std::byte> file, const std::string& name);

// A file mapped into memory; views live as long as it.
class SafetensorsFile {
 public:
  // Throws: Error(kIo) when it cannot be opened, Error(kBadData) as parse_safetensors.
  explicit SafetensorsFile(const std::filesystem::path& path);
  ~SafetensorsFile();
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, TensorView>& tensors() const { return content_.tensors; }
  const std::map<std::string, std::string>& metadata() const { return content_.metadata; }

 private:
  std::filesystem::path path_;
  std::span<const std::byte> mapping_;
  SafetensorsContent content_;
};

// Writes beside `path`, fsyncs, renames over it, fsyncs the folder. Tensors of wide types come
// first, then by name; the header is padded to 8 bytes, so that every tensor is aligned.
// Throws: Error(kIo); Error(kInternal) when a view's bytes do not fit its shape; Error(kBadData)
// when a name is not UTF-8.
void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace lockstep::weights
