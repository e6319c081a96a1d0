#include "refusal.h"

#include <lockstep/telemetry/options.h>

namespace lockstep::telemetry {
namespace {

TEST(TelemetryOptions, RefuseToLogEveryZeroSteps) {
  EXPECT_NO_THROW(validate(Options{1}));
  expect_refusal(ExitCode::kConfig, "telemetry.log_every = 0", [] { validate(Options{0}); });
}

}  // namespace
}  // namespace lockstep::telemetry
