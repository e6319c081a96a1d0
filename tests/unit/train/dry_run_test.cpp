#include "tiny_run.h"

#include <lockstep/train/run.h>

namespace lockstep::train {
namespace {

TEST(DryRun, SaysWhatARunWouldDoAndMakesNothing) {
  TinyRun run;
  run.add_val(12);
  run.settings.run.epochs = 2;
  testing::internal::CaptureStdout();
  dry_run(run.job);
  const std::string text = testing::internal::GetCapturedStdout();
  for (const char* part : {"[run]",
                           "20 images of 8 x 8 x 1, 4 classes",
                           "val.h5: 12 images",
                           "adamw, ",
                           " of state a rank\n",
                           "1 ranks x 8 images x 1 micro-batches = 8 images a step",
                           "3 steps an epoch, 6 steps in all (2 epochs)",
                           "(8, 8, 8, 1) u8, 8 real samples",
                           "memory     ",
                           " in backward, ",
                           "memory.recompute = none"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
  }
  EXPECT_FALSE(std::filesystem::exists(run.run_dir()));
}

}  // namespace
}  // namespace lockstep::train
