// The front program: the one command a person types. Runs what needs no LibTorch, MPI or CUDA
// itself and hands the rest to lockstep-trainer, which lies beside it, with the same arguments.
#include "commands.h"
#include "failure.h"
#include "probe_input.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/option.h>
#include <lockstep/config/command_line.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <vector>

namespace lockstep::apps {
namespace {

constexpr unsigned kPatienceS = 5;

enum class Kind { kHere, kTrainer, kReserved };

struct Subcommand {
  const char* name;
  Kind kind;
  int (*run)(Arguments);
};

constexpr std::array<Subcommand, 14> kSubcommands{{
    {"prepare", Kind::kHere, run_prepare},
    {"inspect", Kind::kHere, run_inspect},
    {"collect", Kind::kHere, run_collect},
    {"config", Kind::kHere, run_config},
    {"version", Kind::kHere, run_version},
    {"train", Kind::kTrainer, nullptr},
    {"eval", Kind::kTrainer, nullptr},
    {"bench", Kind::kTrainer, nullptr},
    {"export", Kind::kTrainer, nullptr},
    {"compare", Kind::kReserved, nullptr},
    {"doctor", Kind::kReserved, nullptr},
    {"submit", Kind::kReserved, nullptr},
    {"completion", Kind::kReserved, nullptr},
    {"tune", Kind::kReserved, nullptr},
}};

constexpr const char* kHelp = R"(lockstep: data-parallel training on MPI and NCCL

usage: lockstep COMMAND [ARGUMENTS]      (lockstep COMMAND --help tells more)

Data
  prepare   make an HDF5 data set
              lockstep prepare idx IMAGES LABELS --out data/train.h5
  inspect   say what a data set holds
              lockstep inspect data/train.h5 --verify

Training (alone, or under mpirun or srun)
  train     train a model
              mpirun -np 2 lockstep train --config configs/vit_quickstart.ini
  eval      evaluate weights on a data set
              lockstep eval --weights model.safetensors --data.val data/val.h5
  bench     measure one part
              mpirun -np 2 lockstep bench step --config configs/vit_quickstart.ini --json

Results
  collect   say how well a run went and where its time is
              lockstep collect runs/first --out runs/first/report

Help
  config    show, list or check settings
              lockstep config show --config configs/vit_quickstart.ini
  version   say what this program was built with
              lockstep version --json
)";

// --config and --section.key with their values; flags of the trainer's subcommands are left out.
std::vector<std::string> settings_among(const std::vector<std::string>& arguments) {
  std::vector<std::string> kept;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string name = arguments[i].substr(0, arguments[i].find('='));
    const bool setting = name == "--config" ||
                         (name.find('.') != std::string::npos && !name.starts_with("--bench."));
    if (!name.starts_with("--") || !setting) continue;
    kept.push_back(arguments[i]);
    const bool open = name == arguments[i] && i + 1 < arguments.size();
    if (open && !arguments[i + 1].starts_with("--")) kept.push_back(arguments[++i]);
  }
  return kept;
}

// As the trainer will read them; it says what is wrong with them.
data::Options data_options(const std::vector<std::string>& arguments) {
  config::Command command = config::train_command();
  command.needs_data = false;
  try {
    return config::parse(command, settings_among(arguments), config::process_environment())
        .settings.data;
  } catch (const Error&) {
    return {};
  }
}

// Before MPI is opened: a file that makes HDF5 crash must not take a rank with it. A launcher ends
// the job at the first rank that leaves, so rank 0 speaks first; another one does where rank 0
// found nothing wrong, as with files on the disks of nodes.
void probe_inputs(const std::vector<std::string>& arguments) {
  const data::Options options = data_options(arguments);
  try {
    probe_input(options.train, options);
    if (options.val != options.train) probe_input(options.val, options);
  } catch (...) {
    const int rank = launcher_rank();
    if (rank != 0) {
      sleep(kPatienceS);
      report_failure(current_error(), rank, "probe", 0);
    }
    throw;
  }
}

// Replaces this process. Returns only by throwing.
[[noreturn]] void become_trainer(const std::vector<std::string>& arguments) {
  std::error_code code;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", code);
  const std::string trainer = (self.parent_path() / "lockstep-trainer").string();
  std::vector<std::string> words{trainer};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  execv(trainer.c_str(), pointers.data());
  if (errno == ENOENT) {
    throw unavailable_error(
        format("{} is missing: `lockstep {}` needs it beside lockstep; build or install it too",
               trainer,
               arguments.front()));
  }
  throw Error(ExitCode::kUnavailable,
              std::string(io_error(format("cannot start {}", trainer), errno).what()));
}

int run_subcommand(const std::vector<std::string>& arguments) {
  const std::string& name = arguments.front();
  const auto found = std::ranges::find_if(
      kSubcommands, [&name](const Subcommand& each) { return name == each.name; });
  if (found == kSubcommands.end()) {
    std::vector<std::string> known;
    for (const Subcommand& each : kSubcommands) known.emplace_back(each.name);
    const std::string near = nearest_name(name, known);
    throw usage_error(
        format("lockstep has no command \"{}\"; {}",
               name,
               near.empty() ? "`lockstep --help` names all" : format("did you mean {}?", near)));
  }
  switch (found->kind) {
    case Kind::kHere:
      return found->run(Arguments(arguments).subspan(1));
    case Kind::kTrainer:
      probe_inputs(arguments);
      become_trainer(arguments);
    case Kind::kReserved:
      break;
  }
  throw usage_error(format("lockstep {} is not in this version", name));
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    throw usage_error("lockstep needs a command; `lockstep --help` names all");
  }
  const std::string& first = arguments.front();
  if (first == "--help" || first == "-h" || first == "help") {
    std::fputs(kHelp, stdout);
    return 0;
  }
  if (first == "--version") return run_version({});
  return run_subcommand(arguments);
}

// Ranks of one job fail alike, and one of them says so; what a machine lacks is said by each.
int fail(const Error& error) {
  const int rank = launcher_rank();
  if (rank != 0 && error.code() != ExitCode::kUnavailable) return static_cast<int>(error.code());
  return report_failure(error, rank, "command_line", 0);
}

}  // namespace
}  // namespace lockstep::apps

int main(int argc, char** argv) {
  try {
    const int code = lockstep::apps::run({argv + std::min(argc, 1), argv + argc});
    if (std::fflush(stdout) != 0) throw lockstep::io_error("cannot write standard output", errno);
    return code;
  } catch (...) {
    std::fflush(stdout);
    return lockstep::apps::fail(lockstep::current_error());
  }
}
