// Attributes of a native file: version first, then their checksum, then each by name.
#include "schema.h"

#include "data_fixture.h"

#include <array>

namespace lockstep::data {
namespace {

class SchemaTest : public ::testing::Test {
 protected:
  SchemaTest() { write_small(path_, 4); }
  void refused(std::initializer_list<std::string> fragments) {
    expect_error(ExitCode::kBadData, fragments, [this] { open_dataset(path_, Options{}); });
  }
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "n.h5";
};

TEST_F(SchemaTest, OtherVersionIsRefused) {
  set_attribute(path_, "lockstep_format", std::int64_t{2});
  refused({path_.string(), "lockstep_format is 2", "reads 1"});
}

TEST_F(SchemaTest, VersionOfAnotherTypeIsRefused) {
  set_attribute(path_, "lockstep_format", std::string("1"));
  refused({path_.string(), "lockstep_format", "wrong type"});
}

TEST_F(SchemaTest, EncodingMustBeKnownAndFit) {
  set_attribute(path_, "image_encoding", std::string("png"));
  refused({path_.string(), "image_encoding = png", "raw nor jpeg"});
  set_attribute(path_, "image_encoding", std::string("jpeg"));
  refused({path_.string(), "image_channels", "missing"});
  set_attribute(path_, "image_channels", std::int64_t{2});
  refused({path_.string(), "image_channels = 2", "1 nor 3"});
  set_attribute(path_, "image_channels", std::int64_t{1});
  refused({path_.string(), "\"image_bytes\"", "missing"});
  set_attribute(path_, "num_samples", std::int64_t{-1});
  refused({path_.string(), "num_samples is -1"});
}

TEST_F(SchemaTest, UnknownTaskIsRefused) {
  set_attribute(path_, "task", std::string("sorting"));
  refused({path_.string(), "task = sorting"});
}

TEST_F(SchemaTest, MalformedClassesAreRefused) {
  for (const char* classes : {"a,b", "{}", "[1,2]", "[\"a\""}) {
    set_attribute(path_, "classes", std::string(classes));
    refused({path_.string(), "classes"});
  }
}

TEST_F(SchemaTest, EveryAttributeIsRequired) {
  for (const char* name : {"task",
                           "split",
                           "classes",
                           "num_samples",
                           "image_encoding",
                           "image_mean",
                           "image_std",
                           "content_digest",
                           "label_crc32c",
                           "sample_id_crc32c",
                           "sample_crc32c_crc32c",
                           "attributes_crc32c"}) {
    std::filesystem::remove(path_);
    write_small(path_, 4);
    edit(path_, [&](hid_t file) { H5Adelete(file, name); });
    if (std::string(name) != kAttributesCrc) {
      // Repaired, so that the missing name itself is found.
      set_attribute(path_, "z", std::int64_t{0});
    }
    refused({path_.string(), name, "missing"});
  }
}

TEST_F(SchemaTest, ChangedAttributeIsFoundByTheChecksum) {
  set_attribute(path_, "classes", std::string(R"(["x","y","z"])"), false);
  refused({path_.string(), "attributes_crc32c"});
}

TEST_F(SchemaTest, AttributesOfOthersAreLeftAlone) {
  set_attribute(path_, "note", std::string("taken in May"), false);
  EXPECT_EQ(open_dataset(path_, Options{})->info().num_samples, 4);
}

TEST(Schema, InfoSurvivesItsAttributes) {
  DatasetInfo info;
  info.split = "val";
  info.classes = {"a \"quoted\" name", "Ä", ""};
  info.num_samples = 5;
  info.channels = 3;
  info.image_mean = {0.1, 0.2, 0.3};
  info.image_std = {1e-3, 1.0, 0.25};
  info.content_digest = std::string(64, 'a');
  Attributes attributes = attributes_of(info);
  attributes[kAttributesCrc] = std::int64_t{attributes_crc32c(attributes)};
  const DatasetInfo read = info_from_attributes(attributes, "f.h5");
  EXPECT_EQ(read.classes, info.classes);
  EXPECT_EQ(read.image_std, info.image_std);
  EXPECT_EQ(read.split, "val");
  EXPECT_TRUE(read.native);
  EXPECT_EQ(read.channels, 3);
}

}  // namespace
}  // namespace lockstep::data
