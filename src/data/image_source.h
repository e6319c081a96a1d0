// Samples out of a table of pictures: read, recoded and matched with their boxes by several
// threads, delivered in order. Knows nothing of where the table came from.
#pragma once

#include "image_table.h"
#include "left_out.h"
#include "source_files.h"

#include <lockstep/data/import_images.h>

#include <memory>
#include <string>
#include <vector>

namespace lockstep::data {

struct ImageSourceParts {
  std::string task;
  std::string split;
  std::vector<std::string> classes;
  ImageTable table;
  LeftOut left_out;  // by whoever made the table
};

// Throws: Error(kBadData) when there is no picture; Error(kUsage) for options that do not fit.
std::unique_ptr<SampleSource> make_image_source(SourceFolder folder,
                                                ImageSourceParts parts,
                                                const ImageImportOptions& options);

}  // namespace lockstep::data
