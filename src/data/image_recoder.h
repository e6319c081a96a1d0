// One picture file as it is to be stored: its pixels at the wanted size, or a JPEG file. Pure:
// knows bytes and numbers, no paths.
#pragma once

#include <lockstep/data/import_images.h>

#include <cstddef>
#include <vector>

namespace lockstep::data {

struct RecodedImage {
  std::vector<std::byte> file;  // jpeg
  Image pixels;                 // raw: what is stored; jpeg: what it shows, perhaps reduced
  ImageSize size;               // of what is stored
  ImageSize original;           // of the file that came in
  // Pixels of the file become pixels of what is stored by these; the picture begins at (0, 0) and
  // ends at `shown`.
  float scale_x = 1;
  float scale_y = 1;
  ImageSize shown;
};

// `keep_whole`: letterbox, for boxes; otherwise the centre is cut out (then scales mean nothing).
// Throws: Error(kBadData): damaged, over a limit. The text does not name the file.
RecodedImage recode_image(std::vector<std::byte> file,
                          bool keep_whole,
                          const ImageImportOptions& options);

}  // namespace lockstep::data
