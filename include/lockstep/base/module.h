// Loadable parts (liblockstep_mpi.so, liblockstep_cuda.so), opened only when asked for.
#pragma once

#include <string>

namespace lockstep {

// Opens liblockstep_<name>.so from the folder of lockstep's own libraries (never closed: LibTorch
// and MPI do not survive that). Returns the dlopen handle, the same one each time. Thread: any.
// Throws: Error(kUnavailable) with the loader's reason.
void* open_module(const std::string& name);

// Throws: Error(kInternal) when the symbol is missing.
void* module_symbol(void* handle, const char* name);

}  // namespace lockstep
