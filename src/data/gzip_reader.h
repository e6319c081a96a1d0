// Reads a plain or gzip file front to back. The door to zlib.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace lockstep::data {

class GzipReader {
 public:
  // Throws: Error(kIo) when it cannot be opened.
  explicit GzipReader(const std::filesystem::path& path);
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  // Fills `out`. Throws: Error(kBadData) when the content ends early or its checksum is wrong.
  void read(std::span<std::byte> out);
  // Throws: Error(kBadData) when there is more content, or the end is damaged.
  void expect_end();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lockstep::data
