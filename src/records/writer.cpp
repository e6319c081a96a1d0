#include "records/json_line.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/log.h>
#include <lockstep/records/writer.h>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <span>

namespace lockstep::records {
namespace {

// A rank's line has about 550 bytes; a metrics line with 12 evaluation figures about 900.
constexpr std::size_t kLineCapacityBytes = 4096;

void fill(JsonLine& line, const RankHeader& header) {
  line.begin();
  line.integer("schema", kRankSchema);
  line.integer("rank", header.rank);
  line.integer("world_size", header.world_size);
  line.text("host", header.host);
  line.integer("pid", header.pid);
  line.text("device", header.device);
  line.text("build_id", header.build_id);
  line.text("start_time", header.start_time);
}

void fill(JsonLine& line, const StepRecord& record) {
  line.begin();
  line.integer("step", record.step);
  line.integer("epoch", record.epoch);
  for (std::size_t bin = 0; bin < kNumBins; ++bin) line.number(kBinKeys[bin], record.bins_s[bin]);
  line.number("wall", record.wall_s);
  line.integer("images", record.images);
  line.integer("bytes_read", record.bytes_read);
  line.number("comm_total", record.comm_total_s);
  line.integer("comm_bytes", record.comm_bytes);
  line.number("straggler_wait", record.straggler_wait_s);
  for (std::size_t phase = 0; phase < kMemoryKeys.size(); ++phase) {
    line.integer(kMemoryKeys[phase], record.memory_bytes[phase]);
  }
}

void fill(JsonLine& line, const MetricsRecord& record) {
  line.begin();
  line.integer("schema", kMetricsSchema);
  line.integer("step", record.step);
  line.integer("epoch", record.epoch);
  line.number("loss", record.loss);
  line.number("lr", record.lr);
  line.number("grad_norm", record.grad_norm);
  line.number("loss_scale", record.loss_scale);
  line.number("images_per_s", record.images_per_s);
  line.number("images_per_s_per_rank", record.images_per_s_per_rank);
  line.number("step_ms", record.step_ms);
  line.number("data_wait_ms", record.data_wait_ms);
  line.number("comm_exposed_ms", record.comm_exposed_ms);
  line.integer("memory_peak_bytes", record.memory_peak_bytes);
  if (record.eval.empty()) return;
  line.begin_object("eval");
  for (const auto& [name, value] : record.eval) line.number(name, value);
  line.end_object();
}

template <class Record>
bool append(LineFile& file, JsonLine& line, const Record& record) noexcept {
  if (file.failed()) return false;
  try {
    fill(line, record);
    return file.append(line.end());
  } catch (...) {
    return false;  // no memory for a longer line: this one is left out
  }
}

// A crash may have left a part of a line: what is appended must start on a line of its own.
void drop_cut_line(const FileHandle& file, const std::filesystem::path& path) {
  const std::uint64_t size = file_size_bytes(file, path);
  std::uint64_t keep = size;
  char last = '\n';
  while (keep > 0) {
    read_exactly(file, path, keep - 1, std::as_writable_bytes(std::span(&last, 1)));
    if (last == '\n') break;
    --keep;
  }
  if (keep < size && ftruncate(file.get(), static_cast<off_t>(keep)) != 0) {
    throw io_error(format("cannot cut the last line of {}", path.string()), errno);
  }
}

nlohmann::ordered_json number_or_null(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

}  // namespace

LineFile::LineFile(std::filesystem::path path)
    : path_(std::move(path)),
      file_(open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
  if (!file_) throw io_error(format("cannot open {} for writing", path_.string()), errno);
  struct stat status {};
  if (fstat(file_.get(), &status) == 0 && S_ISREG(status.st_mode)) drop_cut_line(file_, path_);
}

bool LineFile::append(std::string_view line) noexcept {
  if (failed_) return false;
  ssize_t count = 0;
  do {
    count = ::write(file_.get(), line.data(), line.size());
  } while (count < 0 && errno == EINTR);
  if (count == static_cast<ssize_t>(line.size())) return true;
  const int reason = count < 0 ? errno : ENOSPC;
  struct stat status {};
  if (count > 0 && fstat(file_.get(), &status) == 0 && S_ISREG(status.st_mode) &&
      ftruncate(file_.get(), status.st_size - count) != 0) {
    // The part of a line stays; readers report it as cut.
  }
  give_up(reason);
  return false;
}

void LineFile::give_up(int reason) noexcept {
  failed_ = true;
  try {
    log::warning(
        "cannot write {}: {}; the run goes on without it", path_.string(), std::strerror(reason));
  } catch (...) {  // a warning that finds no memory must not end the step
  }
}

RankWriter::RankWriter(const std::filesystem::path& path, const RankHeader& header)
    : file_(path), line_(std::make_unique<JsonLine>(kLineCapacityBytes)) {
  fill(*line_, header);
  if (!file_.append(line_->end())) {
    throw io_error(format("cannot write the header of {}", path.string()));
  }
}

RankWriter::~RankWriter() = default;

bool RankWriter::write(const StepRecord& record) noexcept { return append(file_, *line_, record); }

MetricsWriter::MetricsWriter(const std::filesystem::path& path)
    : file_(path), line_(std::make_unique<JsonLine>(kLineCapacityBytes)) {}

MetricsWriter::~MetricsWriter() = default;

bool MetricsWriter::write(const MetricsRecord& record) noexcept {
  return append(file_, *line_, record);
}

void write_result(const std::filesystem::path& path, const RunResult& result) {
  nlohmann::ordered_json json;
  json["schema"] = kResultSchema;
  json["status"] = result.status;
  json["steps"] = result.steps;
  json["epochs"] = result.epochs;
  json["images"] = result.images;
  json["wall_s"] = number_or_null(result.wall_s);
  json["images_per_s"] = number_or_null(result.images_per_s);
  json["loss"] = number_or_null(result.loss);
  json["eval"] = nlohmann::ordered_json::object();
  for (const auto& [name, value] : result.eval) json["eval"][name] = number_or_null(value);
  json["exit_code"] = result.exit_code;
  json["world_size"] = result.world_size;
  for (const auto& [name, value] : result.more) json[name] = number_or_null(value);
  write_text_atomically(
      path, json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

std::string rank_file_name(std::int64_t rank) { return format("rank_{:05d}.jsonl", rank); }

}  // namespace lockstep::records
