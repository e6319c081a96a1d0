// One function a subcommand; each lives in a file of its own. All return the exit code of the
// program and throw Error; only main catches.
#pragma once

#include <span>
#include <string>

namespace lockstep::apps {

using Arguments = std::span<const std::string>;  // after the subcommand's name

// Front program (no LibTorch, MPI or CUDA).
int run_prepare(Arguments arguments);
int run_prepare_repack(Arguments arguments);  // after "prepare repack"
int run_inspect(Arguments arguments);
int run_collect(Arguments arguments);
int run_config(Arguments arguments);
int run_version(Arguments arguments);

}  // namespace lockstep::apps
