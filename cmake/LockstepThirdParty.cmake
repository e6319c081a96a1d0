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
  find_program(
    LOCKSTEP_NVCC nvcc
    HINTS ENV CUDACXX ENV CUDA_HOME
    PATHS /usr/local/cuda "${LibTorch_SITE}/nvidia/cu13" "${PROJECT_SOURCE_DIR}/.deps/torch/nvidia/cu13"
    PATH_SUFFIXES bin)
  if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX} AND LOCKSTEP_NVCC)
    set(CMAKE_CUDA_COMPILER "${LOCKSTEP_NVCC}")
  endif()
  set(CMAKE_CUDA_ARCHITECTURES ${LOCKSTEP_CUDA_ARCHITECTURES})
  enable_language(CUDA)
  set(CMAKE_CUDA_STANDARD 17)
  find_package(CUDAToolkit REQUIRED)
  find_package(NCCL 2.19 REQUIRED)
endif()
