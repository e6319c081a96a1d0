// Pascal VOC's XML: what is read, and every way in which it can be wrong.
#include "voc_reader.h"

#include "data_fixture.h"
#include "image_fixture.h"

namespace lockstep::data {
namespace {

std::string box(const std::string& xmin, const std::string& xmax) {
  return "<bndbox><xmin>" + xmin + "</xmin><ymin>2</ymin><xmax>" + xmax +
         "</xmax><ymax>9</ymax></bndbox>";
}
std::string object(const std::string& content) { return "<object>" + content + "</object>"; }
std::string annotation(const std::string& content) {
  return "<annotation>" + content + "</annotation>";
}
const std::string kName = "<name>cat</name>";

TEST(VocReader, ObjectsAreRead) {
  const VocAnnotation read = read_voc(
      "<?xml version=\"1.0\"?>\n" +
          annotation(
              "<size><width> 640 </width><height>480</height><depth>3</depth></size>" +
              object(kName + box("1", "5.5") + "<part><bndbox><xmin>x</xmin></bndbox></part>") +
              object("<name>\n dog </name>" + box("3", "3"))),
      "f");
  EXPECT_EQ(read.size, (ImageSize{480, 640}));
  ASSERT_EQ(read.objects.size(), 2U);
  EXPECT_EQ(read.objects[0].name, "cat");
  EXPECT_EQ(read.objects[0].xmax, 5.5);
  EXPECT_TRUE(read.objects[0].has_area());
  EXPECT_EQ(read.objects[1].name, "dog");
  EXPECT_FALSE(read.objects[1].has_area());
}

TEST(VocReader, SizesNeedNotBeThere) {
  EXPECT_EQ(read_voc(annotation(""), "f").size, ImageSize{});
  EXPECT_EQ(read_voc(annotation("<size><width>0</width></size>"), "f").size, ImageSize{});
}

TEST(VocReader, BrokenFilesAreRefusedWithTheObjectAndWithoutMemory) {
  std::string bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaaaaaaaa\">";
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  struct Case {
    std::string text;
    const char* reason;
  };
  const std::vector<Case> cases{
      {"", "byte"},
      {"text", "byte"},
      {"<annotation>", "byte"},
      {"<annotations/>", "no <annotation>"},
      {deep, "byte"},
      {bomb, "byte"},
      {"<!DOCTYPE x [<!ENTITY n SYSTEM \"file:///etc/passwd\">]>" +
           annotation(object("<name>&n;</name>" + box("1", "&n;"))),
       "object 1: <xmax> is \"&n;\""},
      {annotation(object(box("1", "5"))), "object 1: it has no <name>"},
      {annotation(object("<name> </name>" + box("1", "5"))), "object 1: it has no <name>"},
      {annotation(object("<name>\xFF</name>" + box("1", "5"))), "UTF-8"},
      {annotation(object("<name>" + std::string(9999, 'n') + "</name>" + box("1", "5"))),
       "too long"},
      {annotation(object(kName)), "object 1: it has no <bndbox>"},
      {annotation(object(kName + box("1", "5")) + object(kName + "<bndbox/>")), "object 2: <xmin>"},
      {annotation(object(kName + box("", "5"))), "<xmin> is \"\""},
      {annotation(object(kName + box("one", "5"))), "<xmin> is \"one\""},
      {annotation(object(kName + box("1px", "5"))), "<xmin> is \"1px\""},
      {annotation(object(kName + box("nan", "5"))), "<xmin> is \"nan\""},
      {annotation(object(kName + box("1", "inf"))), "<xmax> is \"inf\""},
      {annotation(object(kName + box("1", "1e308"))), "<xmax> is \"1e308\""},
      {annotation(object(kName + box("1", "1e999"))), "<xmax> is \"1e999\""},
      {annotation(object(kName + box("6", "5"))), "object 1: its <bndbox> has a negative size"},
      {annotation("<size><width>-4</width></size>"), "<width> is no size"},
      {annotation("<size><height>4.5</height></size>"), "<height> is no size"},
  };
  for (const Case& broken : cases) {
    SCOPED_TRACE(broken.text.substr(0, 100));
    const std::int64_t growth = memory_growth_bytes([&] {
      expect_error(
          ExitCode::kBadData, {"f.xml: ", broken.reason}, [&] { read_voc(broken.text, "f.xml"); });
    });
    EXPECT_LE(growth, 64 << 20);
  }
}

}  // namespace
}  // namespace lockstep::data
