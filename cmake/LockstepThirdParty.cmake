# Every third party, once, as an imported target that only its own module links.
find_package(Threads REQUIRED)
find_package(Boost 1.71 REQUIRED COMPONENTS program_options)
find_package(spdlog REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(ZLIB REQUIRED)
set(HDF5_PREFER_PARALLEL OFF)
find_package(HDF5 1.10 REQUIRED COMPONENTS C)
find_package(LibTorch 2.7 REQUIRED)

if(LOCKSTEP_MPI)
  find_package(MPI 3.1 REQUIRED COMPONENTS C)
endif()

if(LOCKSTEP_CUDA)
  include(LockstepCuda)
  find_package(NCCL 2.19 REQUIRED)
endif()
