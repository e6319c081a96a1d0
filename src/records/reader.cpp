#include "records/json_fields.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>
#include <lockstep/records/reader.h>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

namespace lockstep::records {
namespace {

using nlohmann::json;

constexpr std::uint64_t kLargestFileBytes = 4ULL << 30;
constexpr std::int64_t kLargestWorld = 1 << 20;  // beyond it a header is damaged

// The lines of a file, parsed one after the other.
class LineReader {
 public:
  explicit LineReader(const std::filesystem::path& path)
      : path_(path), text_(read_text(path, kLargestFileBytes)) {}

  // False at the end, and at a last line that does not parse (then cut() is true).
  // Throws: Error(kBadData) for any other line that does not parse.
  bool next(json& out) {
    start_ = end_;
    if (start_ >= text_.size()) return false;
    ++number_;
    const std::size_t newline = text_.find('\n', start_);
    const std::size_t stop = newline == std::string::npos ? text_.size() : newline;
    end_ = newline == std::string::npos ? text_.size() : newline + 1;
    const std::string_view line(text_.data() + start_, stop - start_);
    out = json::parse(line, nullptr, false);
    if (!out.is_discarded()) return true;
    if (end_ < text_.size()) {
      throw data_error(format("{}: not a JSON object; the file is damaged", place().text()));
    }
    cut_ = true;
    return false;
  }

  Place place() const { return {path_, number_}; }
  std::size_t start() const { return start_; }  // of the last line
  std::size_t size() const { return text_.size(); }
  bool cut() const { return cut_; }

 private:
  const std::filesystem::path& path_;
  std::string text_;
  std::size_t start_ = 0;
  std::size_t end_ = 0;
  std::int64_t number_ = 0;
  bool cut_ = false;
};

RankHeader parse_header(const JsonFields& fields) {
  fields.check_schema(kRankSchema);
  RankHeader header;
  header.rank = fields.count("rank");
  header.world_size = fields.count("world_size");
  header.host = fields.text("host");
  header.pid = fields.integer("pid");
  header.device = fields.text("device");
  header.build_id = fields.text("build_id");
  header.start_time = fields.text("start_time");
  if (header.rank >= header.world_size || header.world_size > kLargestWorld) {
    fields.fail(format("rank {} of a world of {}", header.rank, header.world_size));
  }
  return header;
}

StepRecord parse_step(const JsonFields& fields) {
  StepRecord record;
  record.step = fields.count("step");
  record.epoch = fields.count("epoch");
  for (std::size_t bin = 0; bin < kNumBins; ++bin) {
    record.bins_s[bin] = fields.seconds(kBinKeys[bin].data());
  }
  record.wall_s = fields.seconds("wall");
  record.images = fields.count("images");
  record.bytes_read = fields.count("bytes_read");
  record.comm_total_s = fields.seconds("comm_total");
  record.comm_bytes = fields.count("comm_bytes");
  record.straggler_wait_s = fields.seconds("straggler_wait");
  for (std::size_t phase = 0; phase < kMemoryKeys.size(); ++phase) {
    const char* const key = kMemoryKeys[phase].data();
    if (fields.has(key)) record.memory_bytes[phase] = fields.count(key);  // not in older records
  }
  return record;
}

MetricsRecord parse_metrics(const JsonFields& fields) {
  fields.check_schema(kMetricsSchema);
  MetricsRecord record;
  record.step = fields.count("step");
  record.epoch = fields.count("epoch");
  record.loss = fields.number("loss");
  record.lr = fields.number("lr");
  record.grad_norm = fields.number("grad_norm");
  record.loss_scale = fields.number("loss_scale");
  record.images_per_s = fields.number("images_per_s");
  record.images_per_s_per_rank = fields.number("images_per_s_per_rank");
  record.step_ms = fields.number("step_ms");
  record.data_wait_ms = fields.number("data_wait_ms");
  record.comm_exposed_ms = fields.number("comm_exposed_ms");
  record.memory_peak_bytes = fields.count("memory_peak_bytes");
  record.eval = fields.numbers("eval");
  return record;
}

}  // namespace

RankFile read_rank_file(const std::filesystem::path& path) {
  LineReader lines(path);
  RankFile file;
  std::int64_t last_step = 0;
  json object;
  while (lines.next(object)) {
    const JsonFields fields(object, lines.place());
    if (fields.has("schema")) {
      file.segments.push_back({parse_header(fields), {}});
      continue;
    }
    if (file.segments.empty()) fields.fail("the header line is missing");
    StepRecord record = parse_step(fields);
    if (record.step <= last_step) {
      fields.fail(format("step {} follows step {}", record.step, last_step));
    }
    last_step = record.step;
    file.segments.back().steps.push_back(record);
  }
  file.last_line_cut = lines.cut();
  if (file.segments.empty()) {
    throw data_error(format("{}: the header line is missing or cut", path.string()));
  }
  return file;
}

MetricsFile read_metrics_file(const std::filesystem::path& path) {
  LineReader lines(path);
  MetricsFile file;
  json object;
  while (lines.next(object)) {
    const JsonFields fields(object, lines.place());
    MetricsRecord record = parse_metrics(fields);
    if (!file.lines.empty() && record.step <= file.lines.back().step) {
      fields.fail(format("step {} follows step {}", record.step, file.lines.back().step));
    }
    file.lines.push_back(std::move(record));
  }
  file.last_line_cut = lines.cut();
  return file;
}

RunResult read_result(const std::filesystem::path& path) {
  const json object = json::parse(read_text(path, 64ULL << 20), nullptr, false);
  if (object.is_discarded()) throw data_error(format("{}: not a JSON file", path.string()));
  const JsonFields fields(object, {path, 0});
  fields.check_schema(kResultSchema);
  RunResult result;
  result.status = fields.text("status");
  result.steps = fields.count("steps");
  result.epochs = fields.count("epochs");
  result.images = fields.count("images");
  result.wall_s = fields.number("wall_s");
  result.images_per_s = fields.number("images_per_s");
  result.loss = fields.number("loss");
  result.eval = fields.numbers("eval");
  result.exit_code = fields.integer("exit_code");
  if (fields.has("world_size")) result.world_size = fields.count("world_size");
  return result;
}

std::uint64_t cut_back(const std::filesystem::path& path, std::int64_t last_step) {
  if (!std::filesystem::exists(path)) return 0;
  LineReader lines(path);
  std::size_t keep = lines.size();
  json object;
  bool more = false;
  while ((more = lines.next(object))) {
    const JsonFields fields(object, lines.place());
    if (fields.has("step") && fields.integer("step") > last_step) break;
  }
  if (more || lines.cut()) keep = lines.start();
  if (keep < lines.size() && truncate(path.c_str(), static_cast<off_t>(keep)) != 0) {
    throw io_error(format("cannot cut {} back to step {}", path.string(), last_step), errno);
  }
  return lines.size() - keep;
}

}  // namespace lockstep::records
