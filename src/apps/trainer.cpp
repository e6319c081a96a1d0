// lockstep-trainer: train, eval and bench. Opens the world first and closes it last; the only place
// that reports a failure.
#include "failure.h"
#include "trainer_commands.h"

#include <lockstep/base/allocator.h>
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/log.h>
#include <lockstep/base/process.h>
#include <lockstep/base/threads.h>

#include <ATen/Parallel.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::apps {
namespace {

int dispatch(Invocation& invocation, const std::string& command) {
  if (command == "train") return run_train(invocation);
  if (command == "eval") return run_eval(invocation);
  if (command == "bench") return run_bench(invocation);
  comm::agree(invocation.world, [&command] {
    throw usage_error(format(
        "\"{}\" is not in this version of lockstep-trainer: train, eval and bench are", command));
  });
  return 0;
}

// One compute thread a rank unless the user asks for more: two OpenMP threads that share a busy
// core cost several times what they bring.
void set_up_threads(const comm::World& world) {
  const std::string widened = widen_affinity(world.local_size());
  if (!widened.empty() && world.rank() == 0) log::info("{}", widened);
  const auto asked = environment("OMP_NUM_THREADS");
  at::set_num_threads(asked ? std::max(1, std::atoi(asked->c_str())) : 1);
}

// What a shell takes to run the same again. The front program handed its arguments over.
std::string command_line_of(const std::vector<std::string>& arguments) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
      "_-+=./:,@%";
  std::string line = "lockstep";
  for (const std::string& argument : arguments) {
    if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string::npos) {
      line += " " + argument;
      continue;
    }
    line += " '";
    for (const char c : argument) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += "'";
  }
  return line;
}

// The failure of this rank alone: peers may wait in a collective, so all are ended.
int leave_alone(comm::World& world, const Error& error, const train::Position& position) {
  report_failure(error, world.rank(), position.phase, position.step);
  if (world.size() > 1) world.abort(error.code());
  return static_cast<int>(error.code());
}

int run_in(comm::World& world, int argc, char** argv) {
  log::set_rank(world.rank(), world.size());
  set_up_threads(world);
  train::Position position;
  Invocation invocation{world, {}, {}, position};
  invocation.command_line = command_line_of({argv + 1, argv + std::max(1, argc)});
  if (argc > 2) invocation.arguments.assign(argv + 2, argv + argc);
  try {
    return dispatch(invocation, argc > 1 ? argv[1] : "");
  } catch (const comm::AgreedError& error) {
    if (error.rank() == world.rank()) {
      report_failure(error, world.rank(), position.phase, position.step);
    }
    return static_cast<int>(error.code());
  } catch (...) {
    return leave_alone(world, current_error(), position);
  }
}

}  // namespace
}  // namespace lockstep::apps

int main(int argc, char** argv) {
  using namespace lockstep;
  tune_allocator();
  try {
    const std::unique_ptr<comm::World> world = comm::open_world();
    return apps::run_in(*world, argc, argv);
  } catch (const comm::AgreedError& error) {
    if (error.rank() == apps::launcher_rank()) {
      apps::report_failure(error, error.rank(), "start", 0);
    }
    return static_cast<int>(error.code());
  } catch (...) {
    const Error error = current_error();
    apps::report_failure(error, apps::launcher_rank(), "start", 0);
    return static_cast<int>(error.code());
  }
}
