#include "refusal.h"

#include <lockstep/weights/options.h>

namespace lockstep::weights {
namespace {

TEST(WeightsOptions, BindTheirFields) {
  Options options;
  OptionTable table;
  bind_options(table, options);
  EXPECT_NO_THROW(validate(options));
  table.find("weights.init")->set("w.safetensors");
  table.find("weights.strict")->set("false");
  table.find("weights.head")->set("reset");
  EXPECT_EQ(options.init, "w.safetensors");
  EXPECT_FALSE(options.strict);
  EXPECT_EQ(options.head, "reset");
  expect_refusal(
      ExitCode::kConfig, "keep, reset", [&] { table.find("weights.head")->set("drop"); });
}

}  // namespace
}  // namespace lockstep::weights
