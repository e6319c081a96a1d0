// lockstep prepare of pictures, as a user calls it.
#include "commands.h"
#include "data_fixture.h"
#include "image_fixture.h"

namespace lockstep::apps {
namespace {

std::string prepare(const std::vector<std::string>& arguments) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  try {
    EXPECT_EQ(run_prepare(arguments), 0);
  } catch (...) {
    ::testing::internal::GetCapturedStdout();
    ::testing::internal::GetCapturedStderr();
    throw;
  }
  ::testing::internal::GetCapturedStderr();
  return ::testing::internal::GetCapturedStdout();
}

TEST(PrepareImages, AFolderBecomesAFile) {
  const data::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "in/cat");
  const auto file = data::make_jpeg(data::make_picture({40, 50}, 3));
  data::write_file(folder / "in/cat/a.jpg", data::text_of(file));
  data::write_file(folder / "in/cat/b.jpg", "broken");
  const std::string out = (folder / "o.h5").string();
  const std::vector<std::string> usual{
      "image-folder", (folder / "in").string(), "--out", out, "--image-size", "32"};
  data::expect_error(ExitCode::kBadData, {"cat/b.jpg"}, [&] { prepare(usual); });
  EXPECT_FALSE(std::filesystem::exists(out));
  auto skipping = usual;
  skipping.insert(skipping.end(), {"--on-broken", "skip", "--threads", "2", "--split", "train"});
  const std::string text = prepare(skipping);
  EXPECT_NE(text.find("left out: 1 broken pictures (neither a JPEG nor a PNG file): cat/b.jpg"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("1 images of 32 x 32 x 3, 1 classes"), std::string::npos) << text;
  EXPECT_EQ(data::open_dataset(out, {})->info().split, "train");
}

TEST(PrepareImages, HelpOfEveryKind) {
  EXPECT_NE(prepare({"cifar", "--help"}).find("--coarse"), std::string::npos);
  EXPECT_NE(prepare({"image-folder", "--help"}).find("--on-broken"), std::string::npos);
  EXPECT_NE(prepare({"coco", "--help"}).find("--max-side"), std::string::npos);
  EXPECT_NE(prepare({"voc", "--help"}).find("--classes"), std::string::npos);
}

TEST(PrepareImages, UsageErrors) {
  const auto refused = [](const std::vector<std::string>& arguments,
                          std::initializer_list<std::string> fragments) {
    data::expect_error(ExitCode::kUsage, fragments, [&] { prepare(arguments); });
  };
  refused({"coco", "a.json", "--out", "x.h5"}, {"1 sources"});
  refused({"image-folder", "a", "b", "--out", "x.h5"}, {"2 sources"});
  refused({"cifar", "--out", "x.h5"}, {"0 sources"});
  refused({"voc", "a"}, {"--out is missing"});
  refused({"voc", "a", "--out", "x.h5", "--on-broken", "x"}, {"--on-broken x"});
  refused({"voc", "a", "--out", "x.h5", "--image-sise", "3"}, {"did you mean --image-size?"});
  refused({"image-foler", "a"}, {"did you mean image-folder?"});
}

}  // namespace
}  // namespace lockstep::apps
