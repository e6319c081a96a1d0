// docs/configuration.md is what the table says.
#include <lockstep/base/file.h>
#include <lockstep/config/settings.h>

#include <gtest/gtest.h>

namespace lockstep::config {
namespace {

TEST(Reference, HasARowForEveryOption) {
  const std::string text = markdown_reference();
  Settings settings;
  const OptionTable table = make_table(settings);
  for (const Option& option : table.options()) {
    EXPECT_NE(text.find("\n| `" + option.key + "` |"), std::string::npos) << option.name();
    EXPECT_NE(text.find("\n## [" + option.section + "]: "), std::string::npos)
        << "a section without a title: " << option.section;
  }
}

TEST(Reference, TheDocumentationIsUpToDate) {
  const std::string path = std::string(LOCKSTEP_SOURCE_DIR) + "/docs/configuration.md";
  EXPECT_EQ(read_text(path), markdown_reference())
      << "run: lockstep config list --markdown > docs/configuration.md";
}

}  // namespace
}  // namespace lockstep::config
