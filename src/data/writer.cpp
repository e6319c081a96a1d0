#include "file_writer.h"
#include "manifest.h"
#include "schema.h"
#include "sharded_writer.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/data/writer.h>

#include <nlohmann/json.hpp>

#include <optional>

namespace lockstep::data {
namespace {

void check_target(const WriterOptions& options) {
  const std::string path = options.path.string();
  if (options.path.filename().empty()) {
    throw usage_error(format("\"{}\" is not the name of a file to write", path));
  }
  if (options.num_shards == 0 && is_manifest(options.path)) {
    throw usage_error(
        format("{}: a name that ends in .json is that of a manifest: name an .h5 file, or ask for "
               "--shards",
               path));
  }
  std::error_code ignored;
  if (!options.force && std::filesystem::exists(options.path, ignored)) {
    throw io_error(format("{} exists: remove it, choose another name or pass --force", path));
  }
}

// Classes and split are kept as JSON, which holds UTF-8 alone.
void check_texts(const WriterOptions& options) {
  std::vector<std::string> texts = options.classes;
  texts.push_back(options.split);
  for (const std::string& text : texts) {
    try {
      nlohmann::json(text).dump();
    } catch (const nlohmann::json::exception&) {
      throw data_error(
          format("the name of class {} (or of the split) is not UTF-8 text", &text - texts.data()));
    }
  }
}

void check_sizes(const WriterOptions& options) {
  std::int64_t bytes = options.channels;
  for (const std::int64_t factor : {options.height, options.width, options.num_samples}) {
    if (factor < 1 || __builtin_mul_overflow(bytes, factor, &bytes)) {
      throw data_error(format("{} images of {} x {}: not a size that can be written",
                              options.num_samples,
                              options.height,
                              options.width));
    }
  }
}

void check_shape(const WriterOptions& options) {
  if (options.num_samples < 1) {
    throw data_error(format("no samples to write to {}", options.path.string()));
  }
  if (options.channels != 1 && options.channels != 3) {
    throw data_error(format("{} channels: the format holds images of 1 or 3", options.channels));
  }
  LOCKSTEP_CHECK(options.encoding == "raw" || options.encoding == "jpeg", "no such encoding");
  const bool ragged = options.encoding == "jpeg" || (options.height == 0 && options.width == 0);
  LOCKSTEP_CHECK(!options.deflate || !ragged, "only raw images of one size are deflated");
  if (!ragged) check_sizes(options);
  check_texts(options);
}

}  // namespace

class Writer::State {
 public:
  explicit State(const WriterOptions& options) {
    if (options.num_shards > 0) {
      sharded_.emplace(options);
    } else {
      file_.emplace(options);
    }
  }

  void add(const Sample& sample) {
    if (sharded_) {
      sharded_->add(sample);
    } else {
      file_->add(sample);
    }
  }

  DatasetInfo finish(const std::filesystem::path& path,
                     const std::function<void(std::int64_t)>& progress) {
    if (sharded_) return sharded_->finish(progress);
    file_->close();
    file_->verify(progress);
    file_->publish(path);
    return file_->info();
  }

 private:
  std::optional<FileWriter> file_;
  std::optional<ShardedWriter> sharded_;
};

Writer::Writer(const WriterOptions& options) : path_(options.path) {
  WriterOptions checked = options;
  if (options.encoding == "jpeg") checked.height = checked.width = 0;
  if (options.num_shards > 0) checked.path.replace_extension(".json");
  check_target(checked);
  check_shape(checked);
  state_ = std::make_unique<State>(checked);
}

Writer::~Writer() = default;

void Writer::add(const Sample& sample) { state_->add(sample); }

DatasetInfo Writer::finish(const std::function<void(std::int64_t)>& progress) {
  return state_->finish(path_, progress);
}

}  // namespace lockstep::data
