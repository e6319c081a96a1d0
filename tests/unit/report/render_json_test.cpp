#include "made_run.h"

#include <lockstep/report/render.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>

namespace lockstep::report {
namespace {

using nlohmann::json;

ReportedRun reported(RunData run) {
  RunFigures figures = make_figures(run);
  return {std::move(run), std::move(figures)};
}

std::set<std::string> keys(const json& object) {
  std::set<std::string> out;
  for (const auto& item : object.items()) out.insert(item.key());
  return out;
}

// docs/reports.md promises these keys: taking one away must raise kReportSchema.
TEST(RenderJson, HoldsThePromisedKeys) {
  const json report = json::parse(render_json({reported(made_run(2))}));
  EXPECT_EQ(report["schema"], 1);
  EXPECT_EQ(keys(report), (std::set<std::string>{"lockstep", "runs", "schema"}));
  const json& run = report["runs"][0];
  EXPECT_EQ(
      keys(run),
      (std::set<std::string>{"closure",  "communication", "efficiency", "environment",   "hosts",
                             "images",   "images_per_s",  "ledger",     "missing_ranks", "name",
                             "notes",    "path",          "ranks",      "ranks_read",    "result",
                             "settings", "slowest_rank",  "step_ms",    "steps",         "verdict",
                             "wall_s",   "world_size"}));
  EXPECT_EQ(
      keys(run["steps"]),
      (std::set<std::string>{"first_measured", "last_measured", "measured", "total", "warm_up"}));
  EXPECT_EQ(keys(run["images_per_s"]),
            (std::set<std::string>{"overall", "overall_per_rank", "steady", "steady_per_rank"}));
  EXPECT_EQ(keys(run["efficiency"]),
            (std::set<std::string>{"comm_exposed_percent",
                                   "communication_efficiency",
                                   "data_wait_percent",
                                   "load_balance",
                                   "parallel_efficiency"}));
  EXPECT_EQ(keys(run["communication"]),
            (std::set<std::string>{"algbw_gb_per_s",
                                   "busbw_gb_per_s",
                                   "bytes_per_step",
                                   "hidden_percent",
                                   "straggler_wait_ms",
                                   "total_ms"}));
  EXPECT_EQ(keys(run["closure"]),
            (std::set<std::string>{
                "holds", "other_percent", "other_rank", "worst_percent", "worst_rank"}));
  EXPECT_EQ(keys(run["ranks"][0]),
            (std::set<std::string>{"closure_percent",
                                   "comm_exposed_percent",
                                   "data_wait_percent",
                                   "device",
                                   "host",
                                   "images_per_s",
                                   "ledger",
                                   "other_percent",
                                   "own_ms",
                                   "rank",
                                   "step_ms",
                                   "training_ms",
                                   "useful_ms"}));
  EXPECT_EQ(run["ledger"]["bins"].size(), records::kNumBins);
}

TEST(RenderJson, HoldsTheFigures) {
  const json run = json::parse(render_json({reported(made_run(4))}))["runs"][0];
  EXPECT_NEAR(run["images_per_s"]["steady"].get<double>(), 640, 1e-6);
  EXPECT_NEAR(run["images_per_s"]["steady_per_rank"].get<double>(), 160, 1e-6);
  EXPECT_NEAR(run["ledger"]["bins"]["comm_exposed"]["ms"].get<double>(), 11, 1e-9);
  EXPECT_NEAR(run["ledger"]["wall_ms"].get<double>(), 50, 1e-9);
  EXPECT_EQ(run["slowest_rank"]["rank"], 3);
  EXPECT_EQ(run["closure"]["holds"], true);
  EXPECT_TRUE(run["result"].is_null());
}

TEST(RenderJson, WhatCannotBeHadIsNull) {
  const json run = json::parse(render_json({reported(made_run(1))}))["runs"][0];
  EXPECT_TRUE(run["slowest_rank"].is_null());
  EXPECT_TRUE(run["communication"]["busbw_gb_per_s"].is_null());
  EXPECT_TRUE(run["environment"].is_null());
}

TEST(RenderJson, TextThatIsNoUtf8DoesNotBreakIt) {
  RunData run = made_run(1);
  run.settings["model.name"] = "\xFF\xFE";
  run.environment_json = "{\"a\": [1, 2]}";
  const json report = json::parse(render_json({reported(run), reported(made_run(2))}));
  EXPECT_EQ(report["runs"].size(), 2U);
  EXPECT_EQ(report["runs"][0]["environment"]["a"][1], 2);
}

}  // namespace
}  // namespace lockstep::report
