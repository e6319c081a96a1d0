// config.resolved.ini gives the same settings again, whatever a value looks like.
#include "write_ini.h"

#include <lockstep/config/command_line.h>

#include <gtest/gtest.h>

#include <algorithm>

namespace lockstep::config {
namespace {

Settings read_back(const std::string& text) {
  const TemporaryFolder folder;
  const Command command{"plain", "plain", "", {}};
  const std::vector<std::string> words{"--config", write_ini(folder, "r.ini", text)};
  return parse(command, words, {}).settings;
}

TEST(ResolvedIni, HoldsEverySetting) {
  const std::string text = resolved_ini(Settings{});
  Settings settings;
  const OptionTable table = make_table(settings);
  for (const Option& option : table.options()) {
    EXPECT_NE(text.find("\n" + option.key + " ="), std::string::npos) << option.name();
  }
}

TEST(ResolvedIni, GivesNumbersBackBitForBit) {
  Settings settings;
  settings.optim.lr = 0.1 + 0.2;
  settings.optim.eps = 4.9406564584124654e-324;
  settings.run.seed = INT64_MIN;
  const Settings again = read_back(resolved_ini(settings));
  EXPECT_EQ(again.optim.lr, settings.optim.lr);
  EXPECT_EQ(again.optim.eps, settings.optim.eps);
  EXPECT_EQ(again.run.seed, settings.run.seed);
}

TEST(ResolvedIni, GivesEveryTextBack) {
  for (const std::string& text : {std::string("a b"),
                                  std::string(" a "),
                                  std::string("a #b"),
                                  std::string("a#b"),
                                  std::string("#"),
                                  std::string("\"a\" b\""),
                                  std::string("[x]"),
                                  std::string("a=b"),
                                  std::string("\ttab\t"),
                                  std::string("ä;ö"),
                                  std::string("\""),
                                  std::string()}) {
    Settings settings;
    settings.run.dir = text;
    EXPECT_EQ(read_back(resolved_ini(settings)).run.dir, text);
  }
}

TEST(ResolvedIni, IsAFixedPoint) {
  Settings settings;
  settings.weights.strict = false;
  settings.run.dir = "x y";
  const std::string once = resolved_ini(settings);
  EXPECT_EQ(resolved_ini(read_back(once)), once);
}

TEST(ResolvedIni, EveryRecipeRoundTrips) {
  const std::filesystem::path folder = std::filesystem::path(LOCKSTEP_SOURCE_DIR) / "configs";
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".ini") continue;
    ++count;
    const std::vector<std::string> words{"--config", entry.path().string()};
    const CommandLine line = parse(words, {});
    EXPECT_TRUE(line.warnings.empty()) << entry.path() << ": " << line.warnings.front();
    const std::string text = resolved_ini(line.settings);
    EXPECT_EQ(resolved_ini(read_back(text)), text) << entry.path();
    // Where a recipe may meet a CPU or an old GPU, bf16 is slow or missing.
    const bool bf16 = line.settings.precision.compute == "bf16";
    EXPECT_TRUE(!bf16 || line.settings.run.device == "cuda") << entry.path();
  }
  EXPECT_GE(count, 6U);
}

}  // namespace
}  // namespace lockstep::config
