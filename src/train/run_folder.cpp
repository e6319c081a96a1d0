#include "run_folder.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>
#include <lockstep/base/log.h>
#include <lockstep/base/process.h>
#include <lockstep/base/units.h>
#include <lockstep/base/version.h>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <ctime>
#include <string>
#include <vector>

namespace lockstep::train {
namespace {

namespace fs = std::filesystem;

std::string default_path() {
  std::string name = utc_text(std::time(nullptr));
  std::erase(name, ':');
  return "runs/" + name;
}

// The nearest folder above `path` that exists.
fs::path existing_parent(fs::path path) {
  path = fs::absolute(path);
  while (!fs::exists(path) && path.has_parent_path() && path != path.parent_path()) {
    path = path.parent_path();
  }
  return path;
}

void check_usable(const fs::path& path) {
  std::error_code code;
  if (fs::exists(path, code)) {
    if (!fs::is_directory(path, code)) {
      throw io_error(format("run.dir = {} is a file: name a folder", path.string()));
    }
    if (!fs::is_empty(path, code) || code) {
      throw io_error(
          format("run.dir = {} is not empty: name another folder, or remove it", path.string()));
    }
  }
  const fs::path parent = existing_parent(path);
  if (!fs::is_directory(parent) || access(parent.c_str(), W_OK | X_OK) != 0) {
    throw io_error(format("run.dir = {} cannot be made: {} is not a folder that can be written to",
                          path.string(),
                          parent.string()));
  }
}

nlohmann::json data_json(const data::Dataset& dataset) {
  const data::DatasetInfo& info = dataset.info();
  return {{"path", fs::absolute(info.path).string()},
          {"num_samples", info.num_samples},
          {"content_digest", info.content_digest}};
}

std::string describe_rank(const Job& job) {
  const gpu::DeviceInfo device = job.device.backend->info(job.device.index);
  const nlohmann::json own{{"rank", job.world.rank()},
                           {"host", host_name()},
                           {"pid", getpid()},
                           {"device", device.name},
                           {"device_uuid", device.uuid}};
  return own.dump();
}

std::string environment_json(const Job& job,
                             const std::vector<std::string>& rank_texts,
                             const data::Dataset& train,
                             const data::Dataset* val) {
  nlohmann::json ranks = nlohmann::json::array();
  for (const std::string& text : rank_texts) ranks.push_back(nlohmann::json::parse(text));
  nlohmann::json versions{{"communication", job.world.description()}};
  for (const auto& [name, value] : build_facts()) versions[name] = value;
  nlohmann::json all{{"world_size", job.world.size()},
                     {"ranks", ranks},
                     {"versions", versions},
                     {"train", data_json(train)}};
  if (val != nullptr) all["val"] = data_json(*val);
  return all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

RunFolder::RunFolder(Job& job) : job_(job) {
  const std::string own = job.settings.run.dir.empty() ? default_path() : job.settings.run.dir;
  path_ = comm::broadcast_text(job.world.control(), own, 0);
  comm::agree(job.world, [this] {
    if (job_.world.rank() != 0) return;
    check_usable(path_);
    existed_ = fs::exists(path_);
  });
}

fs::path RunFolder::rank_file() const {
  return path_ / "ranks" / format("rank_{:05d}.jsonl", job_.world.rank());
}

void RunFolder::create(const data::Dataset& train, const data::Dataset* val) {
  const std::vector<std::string> ranks =
      comm::all_gather_text(job_.world.control(), describe_rank(job_));
  try {
    comm::agree(job_.world, [&] {
      if (job_.world.rank() == 0) write_start_files(environment_json(job_, ranks, train, val));
    });
    comm::agree(job_.world, [this] { open_log(); });
  } catch (const comm::AgreedError&) {
    log::close_file();
    if (job_.world.rank() == 0) remove_what_was_made();
    throw;
  }
}

void RunFolder::write_start_files(const std::string& environment) const {
  for (const char* folder : {"ranks", "logs", "snapshots"}) make_folders(path_ / folder);
  write_text_atomically(path_ / "config.resolved.ini", job_.resolved_ini);
  write_text_atomically(path_ / "command.txt", job_.command_line + "\n");
  write_text_atomically(path_ / "environment.json", environment);
}

void RunFolder::open_log() const {
  const int rank = job_.world.rank();
  if (!fs::is_directory(path_ / "logs")) {
    throw io_error(
        format("run.dir = {}, made by rank 0, is not there for rank {} on {}: name a "
               "folder that all ranks share",
               path_.string(),
               rank,
               host_name()));
  }
  log::open_file((path_ / "logs" / format("rank_{:05d}.log", rank)).string());
}

void RunFolder::remove_what_was_made() const {
  std::error_code ignored;
  if (!existed_) {
    fs::remove_all(path_, ignored);
    return;
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(path_, ignored)) {
    fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace lockstep::train
