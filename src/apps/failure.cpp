#include "failure.h"

#include <lockstep/base/format.h>
#include <lockstep/base/process.h>

#include <unistd.h>

#include <cerrno>
#include <charconv>

namespace lockstep::apps {
namespace {

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return result + "\"";
}

}  // namespace

std::string failure_record(const Error& error, int rank, std::string_view phase, long step) {
  return format("FATAL code={} rank={} host={} pid={} phase={} step={} cause={}",
                static_cast<int>(error.code()),
                rank,
                host_name(),
                getpid(),
                phase,
                step,
                quoted(error.what()));
}

int report_failure(const Error& error, int rank, std::string_view phase, long step) {
  const std::string line = failure_record(error, rank, phase, step) + "\n";
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t count = write(STDERR_FILENO, line.data() + done, line.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;  // nobody listens; the exit code still tells
    done += static_cast<std::size_t>(count);
  }
  return static_cast<int>(error.code());
}

int launcher_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    const auto text = environment(name);
    if (!text) continue;
    int rank = 0;
    std::from_chars(text->data(), text->data() + text->size(), rank);
    return rank;
  }
  return 0;
}

}  // namespace lockstep::apps
