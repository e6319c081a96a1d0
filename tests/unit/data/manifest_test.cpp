// The manifest is read back as it was written, and anything else is refused by name.
#include "manifest.h"

#include "data_fixture.h"

#include <lockstep/base/hash.h>

#include <nlohmann/json.hpp>

namespace lockstep::data {
namespace {

using nlohmann::json;

Manifest small() {
  Manifest manifest;
  manifest.shards = {{"train-00000-of-00002.h5", 3, 4000, std::string(64, 'a')},
                     {"train-00001-of-00002.h5", 4, 5000, std::string(64, 'b')}};
  DatasetInfo& info = manifest.info;
  info.task = "classification";
  info.split = "train";
  info.classes = {"cat", "d\"og", "\xc3\xa9"};
  info.num_samples = 7;
  info.height = 20;
  info.width = 30;
  info.channels = 3;
  info.image_mean = {0.1, 1.0 / 3, 0.5};
  info.image_std = {0.25, 0.2, 1e-9};
  info.content_digest = digest_of_shards(manifest.shards);
  return manifest;
}

// The text of the small manifest after a change, under a checksum that fits.
std::string changed(const std::function<void(json&)>& change) {
  json object = json::parse(manifest_text(small()));
  change(object);
  object.erase("crc32c");
  const std::string text = object.dump();
  object["crc32c"] = crc32c(bytes_of(text));
  return object.dump();
}

void refused(const std::string& text, std::initializer_list<std::string> fragments) {
  SCOPED_TRACE(text);
  expect_error(ExitCode::kBadData, fragments, [&] { parse_manifest(text, "in/train.json"); });
}

TEST(Manifest, RoundTrip) {
  const Manifest written = small();
  const Manifest read = parse_manifest(manifest_text(written), "in/train.json");
  EXPECT_EQ(read.info.path, "in/train.json");
  EXPECT_EQ(read.info.classes, written.info.classes);
  EXPECT_EQ(read.info.image_mean, written.info.image_mean);
  EXPECT_EQ(read.info.image_std, written.info.image_std);
  EXPECT_EQ(read.info.num_samples, 7);
  EXPECT_EQ(read.info.height, 20);
  EXPECT_EQ(read.info.width, 30);
  EXPECT_EQ(read.info.split, "train");
  EXPECT_EQ(read.info.content_digest, written.info.content_digest);
  EXPECT_TRUE(read.info.native);
  ASSERT_EQ(read.shards.size(), 2U);
  EXPECT_EQ(read.shards[1].file, "train-00001-of-00002.h5");
  EXPECT_EQ(read.shards[1].num_samples, 4);
  EXPECT_EQ(read.shards[1].size_bytes, 5000U);
  EXPECT_EQ(read.info.shards[1], "in/train-00001-of-00002.h5");
  EXPECT_EQ(manifest_text(read), manifest_text(written));
}

TEST(Manifest, NamesOfShards) {
  EXPECT_EQ(shard_name("a/train.json", 3, 8), "train-00003-of-00008.h5");
  EXPECT_TRUE(is_manifest("x.json"));
  EXPECT_FALSE(is_manifest("x.h5"));
}

TEST(Manifest, WhatIsNoManifestIsRefused) {
  refused("", {"in/train.json", "not JSON"});
  refused("{", {"not JSON"});
  refused("[1]", {"not a manifest"});
  refused("{}", {"\"lockstep_manifest\" is missing"});
  refused(std::string(200000, '['), {"in/train.json"});
  refused(
      "{\"crc32c\": 0, \"classes\": " + std::string(200000, '[') + std::string(200000, ']') + "}",
      {"in/train.json", "nested too deeply"});
  refused(R"({"lockstep_manifest": "1"})", {"\"lockstep_manifest\""});
  refused(changed([](json& m) { m["lockstep_manifest"] = 2; }), {"lockstep_manifest is 2"});
}

TEST(Manifest, EveryKeyIsNeededAndNoOther) {
  const json whole = json::parse(manifest_text(small()));
  for (const auto& [key, value] : whole.items()) {
    if (key == "crc32c") continue;
    refused(changed([&](json& m) { m.erase(key); }), {"\"" + key + "\" is missing"});
    refused(changed([&](json& m) { m[key] = json::object(); }), {key});
    refused(changed([&](json& m) { m[key] = nullptr; }), {key});
    refused(changed([&](json& m) { m[key] = -1; }), {key});
  }
  for (const char* key : {"file", "num_samples", "size_bytes", "content_digest"}) {
    refused(changed([&](json& m) { m["shards"][1].erase(key); }), {key, "is missing"});
    refused(changed([&](json& m) { m["shards"][1][key] = 0.5; }), {key});
  }
  json without = whole;
  without.erase("crc32c");
  refused(without.dump(), {"\"crc32c\" is missing"});
  without["crc32c"] = 1;
  refused(without.dump(), {"does not match its crc32c"});
  refused(changed([](json& m) { m["more"] = 1; }), {"\"more\" is not one of a manifest"});
  refused(changed([](json& m) { m["shards"][0]["more"] = 1; }), {"\"more\""});
}

TEST(Manifest, NamesStayBesideTheManifest) {
  for (const char* name : {"",
                           ".",
                           "..",
                           "../a.h5",
                           "/etc/passwd",
                           "a/b.h5",
                           "a\\b.h5",
                           ".hidden.h5",
                           "a.json",
                           "a\n.h5"}) {
    refused(changed([&](json& m) { m["shards"][0]["file"] = name; }), {"\"file\""});
  }
  refused(changed([](json& m) { m["shards"][0]["file"] = m["shards"][1]["file"]; }),
          {"named twice"});
}

TEST(Manifest, FactsMustFitTogether) {
  const auto with = [](const char* key, const json& value) {
    return changed([&](json& m) { m[key] = value; });
  };
  refused(with("num_samples", 8), {"num_samples = 8", "7 together"});
  refused(with("content_digest", std::string(64, '0')), {"content_digest"});
  refused(with("content_digest", "xyz"), {"64 hexadecimal"});
  refused(with("task", "sing"), {"task = sing"});
  refused(with("image_encoding", "png"), {"image_encoding = png"});
  refused(with("image_encoding", "jpeg"), {"height and width"});
  refused(with("height", 0), {"height and width"});
  refused(with("channels", 2), {"channels"});
  refused(with("channels", 1), {"image_mean"});
  refused(with("image_std", {0.1, 0.0, 0.1}), {"image_std"});
  refused(with("image_mean", {0.1, 0.1}), {"image_mean", "3 numbers"});
  refused(with("shards", json::array()), {"\"shards\""});
}

TEST(Manifest, BitsThatFlipAreFoundOrChangeNothing) {
  const std::string sound = manifest_text(small());
  int refusals = 0;
  for (std::size_t bit = 0; bit < 8 * sound.size(); bit += 3) {
    std::string text = sound;
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << (bit % 8)));
    try {
      ASSERT_EQ(manifest_text(parse_manifest(text, "train.json")), sound) << text;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::kBadData) << error.what();
      ++refusals;
    }
  }
  EXPECT_GT(refusals, std::ssize(sound) * 2);
}

}  // namespace
}  // namespace lockstep::data
