#include "temporary_folder.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/random.h>
#include <lockstep/weights/safetensors.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace lockstep::weights {
namespace {

std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string file(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) file[i] = static_cast<char>((length >> (8 * i)) & 0xFF);
  return file + rest;
}

std::string file_of(const std::string& header, std::size_t data_bytes) {
  return with_length(header.size(), header + std::string(data_bytes, '\1'));
}

std::span<const std::byte> as_span(const std::string& file) {
  return std::as_bytes(std::span(file.data(), file.size()));
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

struct Case {
  const char* name;
  std::string file;
};

// A header with one key "x".
std::string one(const std::string& value) { return "{\"x\":" + value + "}"; }

std::vector<Case> layout_cases() {
  const std::string good = entry("F32", "[2]", "[0,8]");
  return {
      {"empty file", ""},
      {"seven bytes", std::string(7, '\0')},
      {"length only", with_length(2, "")},
      {"header of length 0", with_length(0, "")},
      {"header longer than the file", with_length(100, "{}")},
      {"header over the limit", with_length(100000001, "{}")},
      {"header of 2^64-1", with_length(~0ULL, "{}")},
      {"header of 2^63", with_length(1ULL << 63, "{}")},
      {"data cut", file_of(one(good), 7)},
      {"data too long", file_of(one(good), 9)},
      {"data without entries", file_of("{}", 1)},
      {"hole at the start", file_of(one(entry("F32", "[2]", "[4,12]")), 12)},
      {"hole between",
       file_of("{\"a\":" + good + ",\"b\":" + entry("F32", "[1]", "[12,16]") + "}", 16)},
      {"overlap", file_of("{\"a\":" + good + ",\"b\":" + entry("F32", "[2]", "[4,12]") + "}", 12)},
      {"the same bytes twice", file_of("{\"a\":" + good + ",\"b\":" + good + "}", 8)},
      {"offsets reversed", file_of(one(entry("F32", "[2]", "[8,0]")), 8)},
      {"offsets beyond the file", file_of(one(entry("F32", "[4]", "[0,16]")), 8)},
      {"offsets near 2^63",
       file_of(one(entry("U8", "[1]", "[9223372036854775806,9223372036854775807]")), 1)},
      {"size too small", file_of(one(entry("F32", "[3]", "[0,8]")), 8)},
      {"size too large", file_of(one(entry("F32", "[1]", "[0,8]")), 8)},
      {"dtype wider than the data", file_of(one(entry("F64", "[2]", "[0,8]")), 8)},
      {"product overflows", file_of(one(entry("F32", "[4611686018427387904,4]", "[0,0]")), 0)},
      {"product overflows behind a zero",
       file_of(one(entry("F32", "[0,4611686018427387904,8]", "[0,0]")), 0)},
      {"product overflows with bytes",
       file_of(one(entry("F64", "[2305843009213693952]", "[0,0]")), 0)},
      {"an empty tensor inside another",
       file_of("{\"a\":" + good + ",\"b\":" + entry("F32", "[0]", "[4,4]") + "}", 8)},
  };
}

std::vector<Case> text_cases() {
  const std::string good = entry("F32", "[2]", "[0,8]");
  return {
      {"not JSON", file_of("hello", 0)},
      {"a list", file_of("[]", 0)},
      {"a number", file_of("1", 0)},
      {"blank first", file_of(" {}", 0)},
      {"cut JSON", file_of("{\"x\":{\"dtype\":\"F32\"", 0)},
      {"text after the object", file_of("{}{}", 0)},
      {"comma too many", file_of("{\"x\":" + good + ",}", 8)},
      {"not UTF-8", file_of("{\"\xff\xfe\":" + good + "}", 8)},
      {"zero byte in the text", file_of(std::string("{\0}", 3), 0)},
      {"key twice", file_of("{\"x\":" + good + ",\"x\":" + good + "}", 8)},
      {"metadata twice", file_of(R"({"__metadata__":{},"__metadata__":{}})", 0)},
      {"metadata that is text", file_of(R"({"__metadata__":"a"})", 0)},
      {"metadata with a number", file_of(R"({"__metadata__":{"a":1}})", 0)},
      {"metadata with an object", file_of(R"({"__metadata__":{"a":{}}})", 0)},
      {"metadata key twice", file_of(R"({"__metadata__":{"a":"b","a":"c"}})", 0)},
      {"entry that is null", file_of(one("null"), 0)},
      {"entry that is a list", file_of(one("[]"), 0)},
      {"entry without fields", file_of(one("{}"), 0)},
      {"no shape", file_of(one(R"({"dtype":"F32","data_offsets":[0,4]})"), 4)},
      {"no dtype", file_of(one(R"({"shape":[1],"data_offsets":[0,4]})"), 4)},
      {"no offsets", file_of(one(R"({"dtype":"F32","shape":[1]})"), 4)},
      {"dtype twice",
       file_of(one(R"({"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]})"), 4)},
      {"unknown field",
       file_of(one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1})"), 4)},
      {"old field name", file_of(one(R"({"dtype":"F32","shape":[1],"offsets":[0,4]})"), 4)},
      {"unknown dtype", file_of(one(entry("F31", "[1]", "[0,4]")), 4)},
      {"dtype in small letters", file_of(one(entry("f32", "[1]", "[0,4]")), 4)},
      {"dtype that is a number",
       file_of(one(R"({"dtype":32,"shape":[1],"data_offsets":[0,4]})"), 4)},
      {"negative extent", file_of(one(entry("F32", "[-2]", "[0,8]")), 8)},
      {"two negative extents", file_of(one(entry("F32", "[-1,-2]", "[0,8]")), 8)},
      {"extent with a fraction", file_of(one(entry("F32", "[2.0]", "[0,8]")), 8)},
      {"extent that is text", file_of(one(entry("F32", "[\"2\"]", "[0,8]")), 8)},
      {"extent that is true", file_of(one(entry("U8", "[true]", "[0,1]")), 1)},
      {"extent beyond 2^64", file_of(one(entry("F32", "[18446744073709551617]", "[0,8]")), 8)},
      {"extent 2^64-1", file_of(one(entry("F32", "[18446744073709551615]", "[0,8]")), 8)},
      {"nested shape", file_of(one(entry("F32", "[[2]]", "[0,8]")), 8)},
      {"shape that is an object", file_of(one(entry("F32", "{}", "[0,8]")), 8)},
      {"negative offset", file_of(one(entry("F32", "[2]", "[-8,0]")), 8)},
      {"three offsets", file_of(one(entry("F32", "[2]", "[0,8,8]")), 8)},
      {"one offset", file_of(one(entry("F32", "[2]", "[8]")), 8)},
  };
}

void expect_refused(const std::vector<Case>& cases) {
  for (const Case& hostile : cases) {
    try {
      parse_safetensors(as_span(hostile.file), "evil.safetensors");
      ADD_FAILURE() << hostile.name << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kBadData) << hostile.name;
      EXPECT_THAT(error.what(), testing::HasSubstr("evil.safetensors")) << hostile.name;
      EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("\n"))) << hostile.name;
    }
  }
}

TEST(Safetensors, HostileLayoutsAreRefused) { expect_refused(layout_cases()); }
TEST(Safetensors, HostileHeadersAreRefused) { expect_refused(text_cases()); }

TEST(Safetensors, ValidOddities) {
  const std::vector<Case> cases = {
      {"nothing", file_of("{}", 0)},
      {"padding", file_of("{}      ", 0)},
      {"metadata alone", file_of(R"({"__metadata__":{"format":"pt"}})", 0)},
      {"a scalar", file_of(one(entry("F32", "[]", "[0,4]")), 4)},
      {"an empty tensor", file_of(one(entry("F32", "[0,5]", "[0,0]")), 0)},
      {"unaligned",
       file_of(
           "{\"a\":" + entry("U8", "[1]", "[0,1]") + ",\"b\":" + entry("F32", "[1]", "[1,5]") + "}",
           5)},
      {"any order of keys",
       file_of(
           "{\"a\":" + entry("U8", "[1]", "[4,5]") + ",\"b\":" + entry("F32", "[1]", "[0,4]") + "}",
           5)},
  };
  for (const Case& valid : cases) {
    EXPECT_NO_THROW(parse_safetensors(as_span(valid.file), valid.name)) << valid.name;
  }
}

std::map<std::string, TensorView> sample_tensors() {
  static const std::vector<float> floats{1.5F, -2.F, 3.F, 4.F, 5.F, 6.F};
  static const std::vector<std::int64_t> longs{7, -8};
  static const std::vector<std::uint8_t> bytes{1, 2, 3};
  return {{"z.float", {DType::kF32, {2, 3}, std::as_bytes(std::span(floats))}},
          {"a.bytes", {DType::kU8, {3}, std::as_bytes(std::span(bytes))}},
          {"m.long", {DType::kI64, {2}, std::as_bytes(std::span(longs))}},
          {"n.empty", {DType::kF32, {0, 4}, {}}}};
}

TEST(Safetensors, WhatIsWrittenComesBack) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.safetensors";
  const std::map<std::string, std::string> metadata{{"format", "pt"}, {"classes", "[\"a\\\"\"]"}};
  write_safetensors(path, sample_tensors(), metadata);
  const SafetensorsFile file(path);
  EXPECT_EQ(file.metadata(), metadata);
  const auto expected = sample_tensors();
  ASSERT_EQ(file.tensors().size(), expected.size());
  for (const auto& [name, view] : file.tensors()) {
    const TensorView& wanted = expected.at(name);
    EXPECT_EQ(view.dtype, wanted.dtype);
    EXPECT_EQ(view.shape, wanted.shape);
    ASSERT_EQ(view.bytes.size(), wanted.bytes.size());
    EXPECT_TRUE(std::equal(view.bytes.begin(), view.bytes.end(), wanted.bytes.begin())) << name;
  }
}

TEST(Safetensors, FilesAreAlignedAndWideTypesComeFirst) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.safetensors";
  write_safetensors(path, sample_tensors(), {});
  const std::string text = read_text(path);
  std::uint64_t length = 0;
  std::memcpy(&length, text.data(), sizeof length);
  EXPECT_EQ(length % 8, 0U);
  EXPECT_LT(text.find("m.long"), text.find("n.empty"));
  EXPECT_LT(text.find("n.empty"), text.find("z.float"));
  EXPECT_LT(text.find("z.float"), text.find("a.bytes"));
}

TEST(Safetensors, WritingReplacesWholeAndLeavesNothingBeside) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.safetensors";
  write_text_atomically(path, "old");
  write_safetensors(path, sample_tensors(), {});
  EXPECT_NO_THROW(SafetensorsFile{path});
  EXPECT_THROW(write_safetensors(folder.path() / "none" / "m", sample_tensors(), {}), Error);
  EXPECT_THROW(write_safetensors(path, {{"\xff", {}}}, {}), Error);
  EXPECT_NO_THROW(SafetensorsFile{path});
  std::size_t num_files = 0;
  for ([[maybe_unused]] const auto& item : std::filesystem::directory_iterator(folder.path())) {
    ++num_files;
  }
  EXPECT_EQ(num_files, 1U);
}

TEST(Safetensors, BytesThatDoNotFitTheShapeAreAProgrammersError) {
  const TemporaryFolder folder;
  auto tensors = sample_tensors();
  tensors["z.float"].shape = {2, 4};
  EXPECT_THROW(write_safetensors(folder.path() / "m", tensors, {}), Error);
}

TEST(Safetensors, AMissingFileIsAnInputOutputError) {
  try {
    const SafetensorsFile file("/nowhere/model.safetensors");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kIo);
    EXPECT_THAT(error.what(), testing::HasSubstr("/nowhere/model.safetensors"));
  }
}

// What may come out of a mutated file: its views, which must lie inside the bytes, or an Error.
void parse_and_touch(const std::string& file) {
  const auto bytes = as_span(file);
  try {
    const SafetensorsContent content = parse_safetensors(bytes, "fuzz");
    for (const auto& item : content.tensors) {
      const auto view = item.second.bytes;
      if (view.empty()) continue;
      ASSERT_GE(view.data(), bytes.data());
      ASSERT_LE(view.data() + view.size(), bytes.data() + bytes.size());
    }
  } catch (const Error& error) {
    ASSERT_EQ(error.code(), ExitCode::kBadData);
  }
}

std::string mutate(std::string file, PhiloxStream& random) {
  const std::uint64_t num_changes = 1 + random.below(4);
  for (std::uint64_t i = 0; i < num_changes && !file.empty(); ++i) {
    const std::size_t at = random.below(file.size());
    switch (random.below(5)) {
      case 0:
        file[at] = static_cast<char>(random.below(256));
        break;
      case 1:
        file[at] = "{}[]\",:0123456789-.e\\"[random.below(21)];
        break;
      case 2:
        file.erase(at, 1 + random.below(9));
        break;
      case 3:
        file.insert(at, file.substr(random.below(file.size()), 1 + random.below(40)));
        break;
      default:
        file.resize(at);
    }
  }
  return file;
}

TEST(Safetensors, MutatedFilesNeverCrash) {
  const TemporaryFolder folder;
  write_safetensors(folder.path() / "seed", sample_tensors(), {{"format", "pt"}});
  const std::string seed = read_text(folder.path() / "seed");
  PhiloxStream random(20240607, 1);
  for (int i = 0; i < 2000; ++i) {
    std::string file = mutate(seed, random);
    // Half of them get an honest length, so that the text itself is reached.
    if (i % 2 == 0 && file.size() > 32) {
      const std::size_t data_bytes = std::min<std::size_t>(43, file.size() - 8);
      file = with_length(file.size() - 8 - data_bytes, file.substr(8));
    }
    ASSERT_NO_FATAL_FAILURE(parse_and_touch(file)) << "case " << i;
  }
}

}  // namespace
}  // namespace lockstep::weights
