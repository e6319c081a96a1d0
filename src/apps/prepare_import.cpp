#include "prepare_import.h"

#include <lockstep/base/clock.h>
#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>
#include <lockstep/base/progress.h>
#include <lockstep/base/units.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <optional>

namespace lockstep::apps {
namespace {

constexpr std::int64_t kMaxShards = 4096;

volatile std::sig_atomic_t g_signal = 0;

extern "C" void remember_signal(int signal) { g_signal = signal; }

// Ctrl-C and a batch system's TERM end the work between two samples, so that the temporary file is
// removed; a file-size limit becomes an error of the write that meets it.
class SignalGuard {
 public:
  SignalGuard() {
    g_signal = 0;
    struct sigaction action {};
    action.sa_handler = remember_signal;
    for (std::size_t i = 0; i < kTaken.size(); ++i) sigaction(kTaken[i], &action, &old_[i]);
    action.sa_handler = SIG_IGN;
    sigaction(SIGXFSZ, &action, &old_.back());
  }
  ~SignalGuard() {
    for (std::size_t i = 0; i < kTaken.size(); ++i) sigaction(kTaken[i], &old_[i], nullptr);
    sigaction(SIGXFSZ, &old_.back(), nullptr);
  }
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

 private:
  static constexpr std::array<int, 3> kTaken{SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, kTaken.size() + 1> old_{};
};

std::string images_text(const data::DatasetInfo& info) {
  if (info.uniform()) {
    return format(
        "{} images of {} x {} x {}", info.num_samples, info.height, info.width, info.channels);
  }
  return format("{} {} images of differing sizes", info.num_samples, info.image_encoding);
}

void print_outcome(const data::SampleSource& source,
                   const data::DatasetInfo& info,
                   double elapsed_s) {
  for (const std::string& line : source.summary()) std::printf("left out: %s\n", line.c_str());
  const std::string shards =
      info.shards.empty() ? std::string() : format("{} files, ", info.shards.size());
  std::uintmax_t bytes = std::filesystem::file_size(info.path);
  for (const std::filesystem::path& shard : info.shards) bytes += std::filesystem::file_size(shard);
  std::printf("%s\n",
              format("wrote {}: {}, {} classes, {}{}, read back and verified, {}",
                     info.path.string(),
                     images_text(info),
                     info.classes.size(),
                     shards,
                     bytes_text(static_cast<double>(bytes)),
                     duration_text(elapsed_s))
                  .c_str());
}

}  // namespace

std::vector<Flag> with_target_flags(std::vector<Flag> flags) {
  flags.push_back({"--out", "FILE.h5", "the file to write; must not exist"});
  flags.push_back({"--split", "NAME", "kept in the file: train, test, ..."});
  flags.push_back(
      {"--shards", "N", "write N files, FILE-00000-of-N.h5 and on, and a manifest FILE.json"});
  flags.push_back({"--force", "", "replace a file that is there"});
  return flags;
}

data::ImportTarget target_of(const Flags& flags) {
  data::ImportTarget target;
  target.path = flags.required_text("--out");
  target.split = flags.text("--split");
  target.force = flags.has("--force");
  target.num_shards = flags.whole("--shards", 0);
  if (target.num_shards < 0 || target.num_shards > kMaxShards) {
    throw usage_error(format("--shards must be between 0 (one file) and {}", kMaxShards));
  }
  return target;
}

void import_with_progress(data::SampleSource& source, const data::ImportTarget& target) {
  const SignalGuard guard;
  if (target.path.has_parent_path()) make_folders(target.path.parent_path());
  const std::int64_t total = source.shape().num_samples;
  const Stopwatch watch;
  std::optional<Progress> writing;
  std::optional<Progress> checking;
  const auto count =
      [total](std::optional<Progress>& progress, const char* label, std::int64_t amount) {
        if (g_signal != 0) throw Interrupted{g_signal};
        if (!progress) progress.emplace(label, total, "images");
        progress->advance(amount);
      };
  const data::DatasetInfo info = data::import_samples(
      source,
      target,
      [&](std::int64_t amount) { count(writing, "writing", amount); },
      [&](std::int64_t amount) {
        if (writing) writing->finish();
        count(checking, "verifying", amount);
      });
  if (checking) checking->finish();
  print_outcome(source, info, watch.elapsed_s());
}

}  // namespace lockstep::apps
