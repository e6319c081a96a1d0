#include "data_fixture.h"

#include "schema.h"

#include <lockstep/base/file.h>
#include <lockstep/base/hash.h>

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace lockstep::data {

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "lockstep_data_XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw io_error("no temporary folder", errno);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<std::string> TemporaryFolder::names() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void expect_error(ExitCode code,
                  std::initializer_list<std::string> fragments,
                  const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << text;
    for (const std::string& fragment : fragments) {
      EXPECT_NE(text.find(fragment), std::string::npos) << "no \"" << fragment << "\" in: " << text;
    }
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    return;
  }
  ADD_FAILURE() << "nothing was thrown, expected: " << *fragments.begin();
}

std::string read_file(const std::filesystem::path& path) { return read_text(path); }

void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

SyntheticOptions small_options(std::int64_t num_samples) {
  SyntheticOptions options;
  options.num_samples = num_samples;
  options.image_size = 16;
  options.num_classes = 3;
  options.channels = 1;
  options.seed = 7;
  return options;
}

DatasetInfo write_small(const std::filesystem::path& path,
                        std::int64_t num_samples,
                        bool detection) {
  SyntheticOptions options = small_options(num_samples);
  options.detection = detection;
  return import_samples(*make_synthetic(options), {path, "train", false, 0}, {}, {});
}

std::vector<std::byte> pixels_of(const Dataset& dataset, std::int64_t index, bool verify) {
  std::vector<std::byte> pixels(static_cast<std::size_t>(dataset.sample_bytes()));
  dataset.read_pixels(index, pixels, verify);
  return pixels;
}

namespace {

void write_foreign_images(hid_t file, const ForeignOptions& options) {
  std::vector<std::uint8_t> pixels;
  hsize_t row = 1;
  for (std::size_t i = 1; i < options.shape.size(); ++i) row *= options.shape[i];
  for (hsize_t sample = 0; sample < options.shape[0]; ++sample) {
    for (hsize_t i = 0; i < row; ++i) pixels.push_back(static_cast<std::uint8_t>(sample + i));
  }
  const Hid space(
      H5Screate_simple(static_cast<int>(options.shape.size()), options.shape.data(), nullptr),
      H5Sclose);
  const Hid creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  if (options.chunked) {
    std::vector<hsize_t> chunk = options.shape;
    chunk[0] = 2;
    H5Pset_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data());
  }
  if (options.deflate) H5Pset_deflate(creation.get(), 4);
  if (options.fletcher) H5Pset_fletcher32(creation.get());
  const Hid links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(links.get(), 1);
  const Hid images(H5Dcreate2(file,
                              options.image_key.c_str(),
                              options.image_type,
                              space.get(),
                              links.get(),
                              creation.get(),
                              H5P_DEFAULT),
                   H5Dclose);
  ASSERT_TRUE(images);
  ASSERT_GE(H5Dwrite(images.get(), H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, pixels.data()),
            0);
}

}  // namespace

void write_foreign(const std::filesystem::path& path, const ForeignOptions& options) {
  const Hdf5Session session;
  const Hid file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
  ASSERT_TRUE(file);
  write_foreign_images(file.get(), options);
  const hsize_t count =
      options.num_labels < 0 ? options.shape[0] : static_cast<hsize_t>(options.num_labels);
  std::vector<std::int32_t> labels;
  for (hsize_t i = 0; i < count; ++i) {
    labels.push_back(static_cast<std::int32_t>(i % 3) + options.label_offset);
  }
  const Hid space(H5Screate_simple(1, &count, nullptr), H5Sclose);
  const Hid label(H5Dcreate2(file.get(),
                             "label",
                             options.float_labels ? H5T_IEEE_F32LE : H5T_STD_I32LE,
                             space.get(),
                             H5P_DEFAULT,
                             H5P_DEFAULT,
                             H5P_DEFAULT),
                  H5Dclose);
  ASSERT_GE(H5Dwrite(label.get(), H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, labels.data()),
            0);
}

void edit(const std::filesystem::path& path, const std::function<void(hid_t)>& change) {
  const Hdf5Session session;
  const Hid file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose);
  ASSERT_TRUE(file);
  change(file.get());
}

namespace {

void replace_attribute(hid_t file,
                       const std::filesystem::path& path,
                       const std::string& name,
                       const AttributeValue& value) {
  const Hdf5Session session;
  if (H5Aexists(file, name.c_str()) > 0) H5Adelete(file, name.c_str());
  write_attribute(session, file, path, name, value);
}

void repair_attributes(hid_t file, const std::filesystem::path& path) {
  const Hdf5Session session;
  const Attributes attributes = read_attributes(session, file, path);
  replace_attribute(file, path, kAttributesCrc, std::int64_t{attributes_crc32c(attributes)});
}

}  // namespace

void set_attribute(const std::filesystem::path& path,
                   const std::string& name,
                   const AttributeValue& value,
                   bool repair) {
  edit(path, [&](hid_t file) {
    replace_attribute(file, path, name, value);
    if (repair) repair_attributes(file, path);
  });
}

void set_element(const std::filesystem::path& path,
                 const std::string& key,
                 hsize_t index,
                 std::int64_t value) {
  edit(path, [&](hid_t file) {
    const Hid dataset(H5Dopen2(file, key.c_str(), H5P_DEFAULT), H5Dclose);
    const Hid space(H5Dget_space(dataset.get()), H5Sclose);
    std::vector<std::int64_t> values(
        static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.get())));
    H5Dread(dataset.get(), H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    values[index] = value;
    H5Dwrite(dataset.get(), H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    replace_attribute(file, path, crc_attribute(key), std::int64_t{crc32c(bytes_of(values))});
    repair_attributes(file, path);
  });
}

}  // namespace lockstep::data
