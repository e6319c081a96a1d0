// Defaults pass, and every limit is refused under its own name.
#include "data_fixture.h"

#include <lockstep/data/options.h>

namespace lockstep::data {
namespace {

TEST(Options, DefaultsAreValidAndEveryOptionHasAText) {
  Options options;
  OptionTable table;
  bind_options(table, options);
  validate(options);
  EXPECT_NE(table.find("data.train"), nullptr);
  for (const Option& option : table.options()) EXPECT_GT(option.help.size(), 20U) << option.name();
}

TEST(Options, BadValuesAreRefusedByName) {
  const auto refused = [](const char* name, const std::function<void(Options&)>& change) {
    Options options;
    change(options);
    expect_error(ExitCode::kConfig, {name}, [&] { validate(options); });
  };
  refused("data.threads", [](Options& options) { options.threads = 0; });
  refused("data.prefetch", [](Options& options) { options.prefetch = 1; });
  refused("data.reader", [](Options& options) { options.reader = "fast"; });
  refused("data.order", [](Options& options) { options.order = "windows"; });
  refused("data.window_chunks", [](Options& options) { options.window_chunks = 0; });
  refused("data.cache_mib", [](Options& options) { options.cache_mib = -1; });
  refused("data.on_broken", [](Options& options) { options.on_broken = "ignore"; });
  refused("data.verify", [](Options& options) { options.verify = "sometimes"; });
  refused("data.last_batch", [](Options& options) { options.last_batch = "keep"; });
  refused("data.image_key", [](Options& options) { options.image_key = ""; });
  refused("data.label_key", [](Options& options) { options.label_key = ""; });
}

}  // namespace
}  // namespace lockstep::data
