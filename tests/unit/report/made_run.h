// Runs made by hand, in memory and on the disk.
#pragma once

#include <lockstep/base/file.h>
#include <lockstep/records/writer.h>
#include <lockstep/report/run.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lockstep::report {

// Milliseconds in the order of records::kBinKeys; the wall time is their sum.
using BinsMs = std::array<double, records::kNumBins>;

inline records::StepRecord made_step(std::int64_t step, const BinsMs& bins_ms) {
  records::StepRecord record;
  record.step = step;
  record.epoch = 1;
  for (std::size_t bin = 0; bin < records::kNumBins; ++bin) {
    record.bins_s[bin] = bins_ms[bin] / 1e3;
    record.wall_s += record.bins_s[bin];
  }
  record.images = 8;
  record.bytes_read = 8 * 784;
  record.comm_total_s = 0.016;
  record.comm_bytes = 4'000'000;
  return record;
}

inline RankRun made_rank(std::int64_t rank,
                         std::int64_t world_size,
                         std::int64_t num_steps,
                         const BinsMs& bins_ms) {
  RankRun out;
  out.header = {rank, world_size, "node1", 100 + rank, "cpu", "build", "2026-01-31T12:00:00Z"};
  for (std::int64_t step = 1; step <= num_steps; ++step) {
    out.steps.push_back(made_step(step, bins_ms));
  }
  return out;
}

//                            wait h2d fwd bwd comm opt snap eval other
inline constexpr BinsMs kEven{1, 1, 10, 20, 14, 4, 0, 0, 0};
inline constexpr BinsMs kLate{1, 1, 14, 28, 2, 4, 0, 0, 0};

// Steps of 50 ms; the last of several ranks is late, and the others wait for it.
inline RunData made_run(std::int64_t world_size, std::int64_t num_steps = 20) {
  RunData run;
  run.path = "runs/made";
  run.name = "made";
  run.world_size = world_size;
  for (std::int64_t rank = 0; rank < world_size; ++rank) {
    const bool late = world_size > 1 && rank == world_size - 1;
    run.ranks.push_back(made_rank(rank, world_size, num_steps, late ? kLate : kEven));
  }
  return run;
}

inline void write_ranks(const std::filesystem::path& folder, const RunData& run) {
  make_folders(folder / "ranks");
  for (const RankRun& rank : run.ranks) {
    const auto path = folder / "ranks" / records::rank_file_name(rank.header.rank);
    std::filesystem::remove(path);
    records::RankWriter writer(path, rank.header);
    for (const records::StepRecord& record : rank.steps) writer.write(record);
  }
}

// A whole run directory.
inline void write_run(const std::filesystem::path& folder, const RunData& run) {
  write_ranks(folder, run);
  records::RunResult result;
  result.status = "done";
  result.steps = static_cast<std::int64_t>(run.ranks.front().steps.size());
  result.loss = 0.25;
  result.eval = {{"top1", 0.875}};
  records::write_result(folder / "result.json", result);
  write_text_atomically(folder / "environment.json", "{\"hosts\": [\"node1\"]}\n");
  write_text_atomically(folder / "config.resolved.ini",
                        "# made\n[model]\nname = vit\n\n[precision]\ncompute = fp32\n");
}

}  // namespace lockstep::report
