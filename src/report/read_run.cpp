#include "report/align_steps.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>
#include <lockstep/records/reader.h>
#include <lockstep/records/writer.h>
#include <lockstep/report/run.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>

namespace lockstep::report {
namespace {

namespace fs = std::filesystem;

std::string last_part(const fs::path& folder) {
  const fs::path whole = fs::absolute(folder).lexically_normal();
  return whole.has_filename() ? whole.filename().string() : whole.parent_path().filename().string();
}

std::string trimmed(const std::string& text) {
  const std::size_t from = text.find_first_not_of(" \t\r");
  if (from == std::string::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

// The files of the ranks folder that look like records, by name.
std::vector<fs::path> rank_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder / "ranks", ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("rank_") && name.ends_with(".jsonl")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct RankSource {
  fs::path path;
  records::RankFile file;
};

// Every file that can be read; the others become notes.
std::vector<RankSource> read_rank_files(const fs::path& folder, std::vector<std::string>& notes) {
  std::vector<RankSource> sources;
  for (const fs::path& path : rank_files(folder)) {
    try {
      RankSource source{path, records::read_rank_file(path)};
      const std::int64_t rank = source.file.header().rank;
      if (path.filename() != records::rank_file_name(rank)) {
        notes.push_back(format("{} says that it is of rank {}: left out", path.string(), rank));
        continue;
      }
      if (source.file.last_line_cut) {
        notes.push_back(format("{}: the last line is cut; that step is left out", path.string()));
      }
      sources.push_back(std::move(source));
    } catch (const Error& error) {
      notes.push_back(format("left out: {}", error.what()));
    }
  }
  return sources;
}

// The steps behind the last change of the world size, and how many stand before it.
RankRun last_stretch(records::RankFile file, std::int64_t& num_earlier) {
  RankRun out{file.header(), {}};
  std::size_t first = file.segments.size();
  while (first > 0 && file.segments[first - 1].header.world_size == out.header.world_size) --first;
  num_earlier = 0;
  for (std::size_t k = 0; k < first; ++k) {
    num_earlier += static_cast<std::int64_t>(file.segments[k].steps.size());
  }
  for (std::size_t k = first; k < file.segments.size(); ++k) {
    const auto& steps = file.segments[k].steps;
    out.steps.insert(out.steps.end(), steps.begin(), steps.end());
  }
  return out;
}

// A resumed run may have another number of ranks than before: the latest start rules.
std::int64_t current_world_size(const std::vector<RankSource>& sources) {
  const auto latest = std::max_element(
      sources.begin(), sources.end(), [](const RankSource& a, const RankSource& b) {
        return a.file.header().start_time < b.file.header().start_time;
      });
  return latest->file.header().world_size;
}

void take_ranks(std::vector<RankSource> sources, RunData& run) {
  run.world_size = current_world_size(sources);
  for (RankSource& source : sources) {
    const records::RankHeader header = source.file.header();
    if (header.world_size != run.world_size) {
      run.notes.push_back(format("{} is of an earlier world of {} ranks: left out",
                                 source.path.string(),
                                 header.world_size));
      continue;
    }
    std::int64_t num_earlier = 0;
    RankRun rank = last_stretch(std::move(source.file), num_earlier);
    if (num_earlier > 0) {
      run.notes.push_back(format(
          "{}: {} steps of an earlier world size are left out", source.path.string(), num_earlier));
    }
    if (rank.steps.empty()) {
      run.notes.push_back(format("{} holds no step: left out", source.path.string()));
      continue;
    }
    run.ranks.push_back(std::move(rank));
  }
}

// More missing ranks than this are counted, not named one by one.
constexpr std::size_t kMostNamed = 16;

void name_missing_ranks(RunData& run) {
  std::vector<bool> seen(static_cast<std::size_t>(run.world_size), false);
  for (const RankRun& rank : run.ranks) seen[static_cast<std::size_t>(rank.header.rank)] = true;
  std::string names;
  for (std::size_t rank = 0; rank < seen.size(); ++rank) {
    if (seen[rank]) continue;
    run.missing_ranks.push_back(static_cast<std::int64_t>(rank));
    if (run.missing_ranks.size() <= kMostNamed)
      names += format(names.empty() ? "{}" : ", {}", rank);
  }
  if (run.missing_ranks.empty()) return;
  if (run.missing_ranks.size() > kMostNamed) names += ", …";
  run.notes.push_back(
      format("{} of {} ranks have no usable record ({}): every figure is of the "
             "others only",
             run.missing_ranks.size(),
             run.world_size,
             names));
}

void compare_builds(RunData& run) {
  for (const RankRun& rank : run.ranks) {
    if (rank.header.build_id == run.ranks.front().header.build_id) continue;
    run.notes.push_back(format("ranks {} and {} ran different builds ({}, {})",
                               run.ranks.front().header.rank,
                               rank.header.rank,
                               run.ranks.front().header.build_id,
                               rank.header.build_id));
    return;
  }
}

void read_settings(const fs::path& path, RunData& run) {
  std::istringstream lines(read_text(path, 16ULL << 20));
  std::string line;
  std::string section;
  while (std::getline(lines, line)) {
    line = trimmed(line);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line.front() == '[' && line.back() == ']') {
      section = line.substr(1, line.size() - 2);
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    run.settings[section + "." + trimmed(line.substr(0, equals))] =
        trimmed(line.substr(equals + 1));
  }
}

// Deeper JSON than this is no environment, and would exhaust the stack where it is written again.
constexpr int kDeepestJson = 64;

void read_environment(const fs::path& path, RunData& run) {
  std::string text = read_text(path, 64ULL << 20);
  bool too_deep = false;
  const auto watch_depth = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    too_deep = too_deep || depth > kDeepestJson;
    return !too_deep;
  };
  const bool parses = !nlohmann::json::parse(text, watch_depth, false).is_discarded();
  if (parses && !too_deep) {
    run.environment_json = std::move(text);
  } else {
    run.notes.push_back(format("left out: {}: not a JSON file", path.string()));
  }
}

// Reads a file that a report can do without.
template <class Read>
void read_if_there(const fs::path& path, RunData& run, Read read) {
  try {
    if (fs::exists(path)) {
      read(path, run);
    } else {
      run.notes.push_back(format("{} is missing", path.string()));
    }
  } catch (const Error& error) {
    run.notes.push_back(format("left out: {}", error.what()));
  }
}

}  // namespace

RunData read_run(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    throw data_error(format("{} is not a folder: name a run directory", folder.string()));
  }
  if (rank_files(folder).empty()) {
    throw data_error(format(
        "{} holds no run: there is no ranks/rank_00000.jsonl in it; name the run.dir of a training",
        folder.string()));
  }
  RunData run;
  run.path = folder;
  run.name = last_part(folder);
  std::vector<RankSource> sources = read_rank_files(folder, run.notes);
  if (!sources.empty()) take_ranks(std::move(sources), run);
  if (run.ranks.empty()) {
    throw data_error(
        format("{} holds no usable rank record: {}", folder.string(), run.notes.front()));
  }
  name_missing_ranks(run);
  compare_builds(run);
  align_steps(run);
  read_if_there(folder / "result.json", run, [](const fs::path& path, RunData& into) {
    into.result = records::read_result(path);
  });
  read_if_there(folder / "environment.json", run, read_environment);
  read_if_there(folder / "config.resolved.ini", run, read_settings);
  return run;
}

}  // namespace lockstep::report
