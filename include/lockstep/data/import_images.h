// Sources of samples out of picture files (folders of classes, COCO, Pascal VOC) and out of CIFAR's
// binary files. Pictures are read, decoded and resized by several threads and come in order; memory
// does not grow with their number beyond the list of names and boxes.
#pragma once

#include <lockstep/data/image.h>
#include <lockstep/data/import.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace lockstep::data {

enum class BrokenImages { kError, kSkip };

struct ImageImportOptions {
  std::string encoding = "raw";  // raw: pixels; jpeg: JPEG files, bytes kept where possible
  // raw: the side of the square that every picture becomes (classification: the shorter side is
  // resized to it and the centre cut out; detection: the longer side, the rest is black). 0: none,
  // every picture keeps its size.
  std::int64_t image_size = 0;
  // jpeg: pictures with a longer side are made smaller and encoded again. 0: none.
  std::int64_t max_side = 0;
  int quality = 90;           // of what is encoded, 1 to 100
  std::int32_t channels = 3;  // of the pixels, 1 or 3; grey pictures get three equal ones
  // A picture (or VOC annotation) that is damaged, missing or no regular file.
  BrokenImages on_broken = BrokenImages::kError;
  std::int64_t num_threads = 0;  // 0: one a core
  ImageLimits limits;
};

// Pictures (.jpg, .jpeg, .png) below one folder a class; classes are the folders' names in the
// order of their bytes, samples lie in the order of their paths and are numbered from 0. Throws:
// Error(kIo) when the folder cannot be read, Error(kBadData) when there is no class, a name that is
// not UTF-8, a class folder that is a link.
std::unique_ptr<SampleSource> open_image_folder(const std::filesystem::path& folder,
                                                const ImageImportOptions& options);

// COCO's annotation file (https://cocodataset.org/#format-data, detection) and the folder that its
// file names are relative to. Classes are the categories in the order of their ids, sample_id is
// the image id. Boxes are cut at the edges of the picture; those without area are left out. Throws:
// Error(kIo), Error(kBadData) naming the object: ids that are missing, given twice, unknown,
// negative or above 2^53, boxes that are not four finite numbers, negative sizes.
std::unique_ptr<SampleSource> open_coco(const std::filesystem::path& annotations,
                                        const std::filesystem::path& images,
                                        const ImageImportOptions& options);

// A folder in the form of Pascal VOC: Annotations/*.xml, JPEGImages/*, ImageSets/Main/SPLIT.txt.
// Empty `split`: every annotation. Empty `classes`: the names in all annotations, sorted, so that
// the splits of one folder agree; otherwise boxes of other names are left out.
// Corners are 1-based and inclusive: xmin, ymin, xmax, ymax become x0 = xmin - 1, y0 = ymin - 1,
// x1 = xmax, y1 = ymax. Boxes with xmin = xmax or ymin = ymax are left out.
// Throws: Error(kIo), Error(kBadData) naming file and object.
std::unique_ptr<SampleSource> open_voc(const std::filesystem::path& folder,
                                       const std::string& split,
                                       const std::vector<std::string>& classes,
                                       const ImageImportOptions& options);

struct CifarOptions {
  std::string split = "train";       // of a folder: train or test
  std::int64_t num_classes = 0;      // 10 or 100; 0: found out by names and sizes
  bool coarse = false;               // CIFAR-100: the 20 coarse labels
  std::vector<std::string> classes;  // empty: of the folder's list of names, else "0" and on
};

// CIFAR-10's and CIFAR-100's binary files (https://www.cs.toronto.edu/~kriz/cifar.html): one or two
// label bytes, then 3 x 32 x 32 bytes by plane. `sources`: one folder, or files in their order.
// Throws: Error(kUsage) for a folder without such files, Error(kIo), Error(kBadData) for sizes that
// are no whole number of records and labels outside the classes.
std::unique_ptr<SampleSource> open_cifar(const std::vector<std::filesystem::path>& sources,
                                         const CifarOptions& options);

}  // namespace lockstep::data
