// lockstep collect: reads what one or many runs wrote about themselves and says how they went.
#include "commands.h"
#include "flags.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>
#include <lockstep/base/log.h>
#include <lockstep/report/render.h>

#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

namespace lockstep::apps {
namespace {

FlagTable flag_table() {
  return {
      "lockstep collect RUN_DIR... [--out DIR] [--json]",
      "Reports where the time of one or many runs went: images/s, the time ledger, efficiency,\n"
      "the slowest rank. Writes report.json and report.txt; docs/reports.md defines the figures.",
      {{"--out", "DIR", "folder of the report files (one run: RUN_DIR/report)"},
       {"--json", "", "print the JSON report instead of the table"}}};
}

std::filesystem::path output_folder(const Flags& flags) {
  if (flags.has("--out")) return flags.required_text("--out");
  if (flags.positional().size() == 1) {
    return std::filesystem::path(flags.positional()[0]) / "report";
  }
  throw usage_error("--out DIR is needed with several runs");
}

}  // namespace

int run_collect(Arguments arguments) {
  const FlagTable table = flag_table();
  const Flags flags(table, arguments);
  if (flags.help()) {
    std::fputs(help_text(table).c_str(), stdout);
    return 0;
  }
  if (flags.positional().empty()) {
    throw usage_error(format("a run directory is needed (usage: {})", table.usage));
  }
  const std::filesystem::path out = output_folder(flags);
  std::vector<report::ReportedRun> runs;
  for (const std::string& folder : flags.positional()) {
    report::RunData run = report::read_run(folder);
    report::RunFigures figures = report::make_figures(run);
    runs.push_back({std::move(run), std::move(figures)});
  }
  const std::string text = report::render_text(runs);
  const std::string json = report::render_json(runs);
  make_folders(out);
  write_text_atomically(out / "report.json", json);
  write_text_atomically(out / "report.txt", text);
  std::fputs(flags.has("--json") ? json.c_str() : text.c_str(), stdout);
  log::info("report in {}", out.string());
  return 0;
}

}  // namespace lockstep::apps
