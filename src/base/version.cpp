#include "version_values.h"

#include <lockstep/base/version.h>

namespace lockstep {

const BuildInfo& build_info() {
  static const BuildInfo& info = *new BuildInfo{LOCKSTEP_VERSION,
                                                LOCKSTEP_GIT_ID,
                                                LOCKSTEP_BUILD_ID,
                                                LOCKSTEP_COMPILER,
                                                LOCKSTEP_BUILD_TYPE,
                                                LOCKSTEP_LIBTORCH_VERSION,
                                                LOCKSTEP_CUDA_VERSION,
                                                LOCKSTEP_NCCL_VERSION,
                                                LOCKSTEP_MPI_VERSION,
                                                LOCKSTEP_HDF5_VERSION,
                                                LOCKSTEP_BOOST_VERSION};
  return info;
}

std::vector<std::pair<std::string, std::string>> build_facts() {
  const BuildInfo& info = build_info();
  return {{"lockstep", info.version},
          {"git_id", info.git_id},
          {"build_id", info.build_id},
          {"compiler", info.compiler},
          {"build_type", info.build_type},
          {"libtorch", info.libtorch},
          {"cuda", info.cuda},
          {"nccl", info.nccl},
          {"mpi", info.mpi},
          {"hdf5", info.hdf5},
          {"boost", info.boost}};
}

}  // namespace lockstep
