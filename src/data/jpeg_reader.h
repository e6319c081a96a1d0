// One JPEG file in memory up to its header: the library's state, its limits, its errors.
#pragma once

#include "jpeg_errors.h"

#include <lockstep/data/image.h>

#include <cstddef>
#include <span>

namespace lockstep::data {

class JpegReader {
 public:
  // Reads the header and checks it: nothing that grows with the picture was allocated yet.
  // Throws: Error(kBadData).
  JpegReader(std::span<const std::byte> file, const ImageLimits& limits);
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  ImageHeader header() const;
  jpeg_decompress_struct& state() { return handle_.state; }
  JpegErrors& errors() { return errors_; }

 private:
  // The library calls back with the address of `progress`, its first member.
  struct Watch {
    jpeg_progress_mgr progress;
    int max_scans;
  };
  struct Handle {
    ~Handle() { jpeg_destroy_decompress(&state); }
    jpeg_decompress_struct state{};
  };

  static void count_scans(j_common_ptr state);
  void check_coding() const;

  JpegErrors errors_;
  Watch watch_{};
  Handle handle_;
};

}  // namespace lockstep::data
