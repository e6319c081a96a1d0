// lockstep train
#include "agreed_facts.h"
#include "trainer_commands.h"

#include <lockstep/base/log.h>
#include <lockstep/config/settings.h>

#include <cstdio>

namespace lockstep::apps {

config::CommandLine parse_agreed(Invocation& invocation, const config::Command& command) {
  invocation.position.phase = "configuration";
  config::CommandLine line;
  comm::agree(invocation.world, [&] {
    line = config::parse(command, invocation.arguments, config::process_environment());
  });
  comm::agree_on(invocation.world, agreed_facts(invocation.world.description(), command, line));
  if (invocation.world.rank() != 0) return line;
  for (const std::string& warning : line.warnings) log::warning("{}", warning);
  if (line.help) std::fputs(config::help_text(command).c_str(), stdout);
  return line;
}

int run_train(Invocation& invocation) {
  const config::CommandLine line = parse_agreed(invocation, config::train_command());
  if (line.help) return 0;
  const train::RunOptions& run = line.settings.run;
  invocation.position.phase = "device";
  const comm::Device device =
      comm::choose_device(invocation.world, run.device, run.allow_gpu_sharing);
  comm::Mesh mesh = invocation.world.open_mesh(line.settings.comm, device, run.allow_gpu_sharing);
  train::Job job{invocation.world,
                 mesh,
                 device,
                 line.settings,
                 config::resolved_ini(line.settings),
                 invocation.command_line,
                 invocation.position};
  if (line.dry_run) {
    train::dry_run(job);
  } else {
    train::run(job);
  }
  return 0;
}

}  // namespace lockstep::apps
