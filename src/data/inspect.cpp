// The facts of a file, and what would make reading it faster or safer.
#include "file_dataset.h"

#include <lockstep/base/format.h>
#include <lockstep/data/inspect.h>

#include <algorithm>

namespace lockstep::data {
namespace {

std::vector<std::string> advise(const DatasetInfo& info, const ArrayInfo& images) {
  std::vector<std::string> advice;
  if (!images.contiguous()) {
    advice.push_back(
        format("data set \"{}\" is {}: every read passes through HDF5 and its one lock; store it "
               "contiguously (h5repack -f NONE -l {}:CONTI)",
               images.key,
               images.layout,
               images.key));
  }
  if (!info.has_checksums) {
    advice.emplace_back("no checksums: a damaged byte becomes a wrong pixel without a word");
  }
  return advice;
}

}  // namespace

Inspection inspect_dataset(const std::filesystem::path& path, const Options& options) {
  const auto dataset = open_file_dataset(path, options);
  const FileTables& tables = dataset->tables();
  Inspection result;
  result.info = tables.info;
  result.arrays = tables.arrays;
  result.num_boxes = std::ssize(tables.box_classes);
  result.samples_per_class.assign(tables.info.classes.size(), 0);
  const auto& names = tables.info.task == "detection" ? tables.box_classes : tables.labels;
  for (const std::int64_t name : names) {
    ++result.samples_per_class[static_cast<std::size_t>(name)];
  }
  result.advice = advise(tables.info, tables.arrays.front());
  return result;
}

}  // namespace lockstep::data
