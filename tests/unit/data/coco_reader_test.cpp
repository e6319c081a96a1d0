// COCO's JSON: what is read, and every way in which it can be wrong.
#include "coco_reader.h"

#include "data_fixture.h"
#include "image_fixture.h"

namespace lockstep::data {
namespace {

constexpr std::int64_t kMaxGrowthBytes = 64 << 20;

const std::string kImages =
    R"("images": [{"id": 1, "file_name": "a.jpg", "height": 4, "width": 6}])";
const std::string kCategories = R"("categories": [{"id": 3, "name": "cat"}])";

std::string with_box(const std::string& box) {
  return "{" + kImages + ", " + kCategories + R"(, "annotations": [)" + box + "]}";
}
// An annotation whose field is replaced, or added.
std::string box_with(const std::string& key, const std::string& value) {
  std::string text = "{";
  for (const auto& [name, usual] : {std::pair("image_id", "1"),
                                    std::pair("category_id", "3"),
                                    std::pair("bbox", "[0, 0, 2, 2]")}) {
    if (key != name) text += "\"" + std::string(name) + "\": " + usual + ", ";
  }
  return with_box(text + "\"" + key + "\": " + value + "}");
}
std::string with_image(const std::string& image) {
  return R"({"images": [{"id": 1, "file_name": "a"}, )" + image + "], " + kCategories + "}";
}
std::string with_category(const std::string& category) {
  return "{" + kImages + R"(, "categories": [)" + category + "]}";
}
std::string repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST(CocoReader, RowsAreRead) {
  const CocoRows rows = read_coco(
      R"({"info": {"x": [[1], {"images": 3}]}, "annotations": [
          {"segmentation": [[1, 2, 3.5]], "id": 9, "image_id": 1, "iscrowd": 1, "area": 7.5,
           "bbox": [1, 2.5, 3, 4e0], "category_id": 3},
          {"image_id": 1, "bbox": [0, 0, 0, 1], "category_id": 3,
           "segmentation": {"counts": [1, 2], "size": [3, 4]}, "iscrowd": false}],
          "licenses": [{"a": [{"bbox": [[1]]}]}],)" +
          kImages + ", " + kCategories + "}",
      "f");
  ASSERT_EQ(rows.images.size(), 1U);
  EXPECT_EQ(rows.images[0].file, "a.jpg");
  EXPECT_EQ(rows.images[0].height, 4);
  EXPECT_EQ(rows.images[0].width, 6);
  ASSERT_EQ(rows.boxes.size(), 2U);
  EXPECT_EQ(rows.boxes[0].bbox, (std::array<double, 4>{1, 2.5, 3, 4}));
  EXPECT_EQ(rows.boxes[0].id, 9);
  EXPECT_EQ(rows.boxes[0].area, 7.5);
  EXPECT_TRUE(rows.boxes[0].crowd);
  EXPECT_EQ(rows.boxes[1].id, -1);
  EXPECT_EQ(rows.boxes[1].area, -1);
  EXPECT_FALSE(rows.boxes[1].crowd);
  EXPECT_EQ(rows.categories[0].name, "cat");
}

TEST(CocoReader, PicturesWithoutBoxesAreFine) {
  EXPECT_TRUE(read_coco("{" + kImages + ", " + kCategories + "}", "f").boxes.empty());
}

struct Case {
  const char* name;
  std::string text;
  const char* reason;
};

std::vector<Case> broken_texts() {
  return {
      {"empty", "", "byte"},
      {"a number", "7", "not an object"},
      {"a list", "[]", "it is a list"},
      {"no images", "{" + kCategories + "}", "no images"},
      {"no categories", "{" + kImages + "}", "no categories"},
      {"cut short", "{" + kImages + ", ", "byte"},
      {"cut in a word", with_box("{\"image_i"), "annotations[0]: byte"},
      {"more behind", "{" + kImages + ", " + kCategories + "} {}", "byte"},
      {"not UTF-8", with_image("{\"id\": 2, \"file_name\": \"\xFF\"}"), "byte"},
      {"images is an object", R"({"images": {}})", "images is not a list"},
      {"images is a number", R"({"images": 3})", "\"images\" is not a list"},
      {"images twice", "{" + kImages + ", " + kImages + "}", "\"images\" is there twice"},
      {"a list as an image", with_image("[]"), "images[1]: it is not an object"},
      {"a number as an image", with_image("5"), "images[1]: it is not an object"},
      {"depth bomb, lists", R"({"x": )" + std::string(100'000, '['), "nested more than 32"},
      {"depth bomb, objects", repeated(R"({"x": )", 100'000), "nested more than 32"},
      {"depth bomb in a polygon",
       with_box(R"({"segmentation": )" + std::string(100'000, '[')),
       "annotations[0]: nested"},
  };
}

std::vector<Case> broken_ids() {
  return {
      {"no id", with_image(R"({"file_name": "b"})"), "images[1]: it has no \"id\""},
      {"no file name", with_image(R"({"id": 2})"), "images[1]: it has no \"file_name\""},
      {"id of text", with_image(R"({"id": "2", "file_name": "b"})"), "\"id\" is not a whole"},
      {"id with a fraction",
       with_image(R"({"id": 2.5, "file_name": "b"})"),
       "\"id\" is not a whole"},
      {"id is nothing", with_image(R"({"id": null, "file_name": "b"})"), "\"id\" is not a whole"},
      {"negative id", with_image(R"({"id": -2, "file_name": "b"})"), "\"id\" is not between"},
      {"2^53 + 1", with_image(R"({"id": 9007199254740993, "file_name": "b"})"), "\"id\" is not"},
      {"2^64", with_image(R"({"id": 18446744073709551616, "file_name": "b"})"), "\"id\" is not"},
      {"id of 1e308", with_image(R"({"id": 1e308, "file_name": "b"})"), "\"id\" is not a whole"},
      {"id is a list", with_image(R"({"id": [2], "file_name": "b"})"), "\"id\" is not one value"},
      {"id is an object", with_image(R"({"id": {"id": 2}, "file_name": "b"})"), "not one value"},
      {"id twice", with_image(R"({"id": 2, "id": 3, "file_name": "b"})"), "\"id\" is there twice"},
      {"file name of a number", with_image(R"({"id": 2, "file_name": 5})"), "is no text"},
      {"empty file name", with_image(R"({"id": 2, "file_name": ""})"), "\"file_name\" is empty"},
      {"long file name",
       with_image(R"({"id": 2, "file_name": ")" + std::string(5000, 'x') + "\"}"),
       "longer than 4096"},
      {"negative height", with_image(R"({"id": 2, "file_name": "b", "height": -1})"), "\"height\""},
      {"huge width", with_image(R"({"id": 2, "file_name": "b", "width": 99999999})"), "\"width\""},
      {"no name", with_category(R"({"id": 2})"), "categories[0]: it has no \"name\""},
      {"name of a list", with_category(R"({"id": 2, "name": ["x"]})"), "\"name\" is not one value"},
      {"empty name", with_category(R"({"id": 2, "name": ""})"), "\"name\" is empty"},
  };
}

std::vector<Case> broken_boxes() {
  return {
      {"no bbox", with_box(R"({"image_id": 1, "category_id": 3})"), "it has no \"bbox\""},
      {"no image", with_box(R"({"bbox": [1, 1, 1, 1], "category_id": 3})"), "\"image_id\""},
      {"no category", with_box(R"({"bbox": [1, 1, 1, 1], "image_id": 1})"), "\"category_id\""},
      {"NaN", box_with("bbox", "[NaN, 0, 1, 1]"), "annotations[0]: byte"},
      {"Infinity", box_with("bbox", "[0, Infinity, 1, 1]"), "annotations[0]: byte"},
      {"\"NaN\"",
       box_with("bbox", "[\"NaN\", 0, 1, 1]"),
       "\"bbox\" holds something that is no number"},
      {"null", box_with("bbox", "[null, 0, 1, 1]"), "no number"},
      {"1e308", box_with("bbox", "[0, 0, 1e308, 1]"), "annotations[0]: \"bbox\" holds 1e+308"},
      {"-1e308", box_with("bbox", "[-1e308, 0, 1, 1]"), "\"bbox\" holds -1e+308"},
      {"1e400", box_with("bbox", "[0, 0, 1e400, 1]"), "byte"},
      {"negative width", box_with("bbox", "[0, 0, -1, 1]"), "\"bbox\" has a negative size"},
      {"negative height", box_with("bbox", "[0, 0, 1, -0.5]"), "\"bbox\" has a negative size"},
      {"three numbers", box_with("bbox", "[0, 0, 1]"), "\"bbox\" holds 3 numbers"},
      {"five numbers", box_with("bbox", "[0, 0, 1, 1, 1]"), "\"bbox\" holds 5 numbers"},
      {"a million numbers", box_with("bbox", "[0" + repeated(",0", 1'000'000) + "]"), "1000001"},
      {"nested list", box_with("bbox", "[[0, 0, 1, 1]]"), "\"bbox\" holds more than numbers"},
      {"object", box_with("bbox", "{}"), "\"bbox\" is not a list of four"},
      {"text", box_with("bbox", "\"0 0 1 1\""), "\"bbox\" is not a list of four"},
      {"negative area", box_with("area", "-3"), "\"area\""},
      {"area of 1e308", box_with("area", "1e308"), "\"area\""},
      {"area of text", box_with("area", "\"5\""), "\"area\""},
      {"crowd of 2", box_with("iscrowd", "2"), "\"iscrowd\""},
      {"crowd of -1", box_with("iscrowd", "-1"), "\"iscrowd\""},
      {"image id with a fraction", box_with("image_id", "1.0"), "\"image_id\" is not a whole"},
      {"category id of text", box_with("category_id", "\"3\""), "\"category_id\""},
  };
}

TEST(CocoReader, BrokenFilesAreRefusedWithTheObjectAndWithoutMemory) {
  std::size_t count = 0;
  for (const auto& cases : {broken_texts(), broken_ids(), broken_boxes()}) {
    count += cases.size();
    for (const Case& broken : cases) {
      SCOPED_TRACE(broken.name);
      const std::int64_t growth = memory_growth_bytes([&] {
        expect_error(ExitCode::kBadData, {"f.json: ", broken.reason}, [&] {
          read_coco(broken.text, "f.json");
        });
      });
      EXPECT_LE(growth, kMaxGrowthBytes);
    }
  }
  EXPECT_GE(count, 40U);
}

TEST(CocoReader, TheLastGoodRowBeforeABadOneIsCounted) {
  const std::string box = R"({"image_id": 1, "category_id": 3, "bbox": [0, 0, 1, 1]})";
  expect_error(ExitCode::kBadData, {"annotations[2]: "}, [&] {
    read_coco(with_box(box + "," + box + ", {\"bbox\": 3}"), "f");
  });
}

TEST(CocoReader, EveryTruncationIsAnError) {
  const std::string text = box_with("area", "3.5");
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_THROW(read_coco(std::string_view(text).substr(0, size), "f"), Error) << size;
  }
  EXPECT_NO_THROW(read_coco(text, "f"));
}

}  // namespace
}  // namespace lockstep::data
