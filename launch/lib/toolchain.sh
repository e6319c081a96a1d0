# shellcheck shell=bash
# Finds LibTorch and the CUDA compiler that a build will use, in the same order as
# cmake/FindLibTorch.cmake and cmake/LockstepCuda.cmake. Sourced after base.sh; installs nothing.
# shellcheck disable=SC2034  # torch_dir and nvcc are set for the script that sources this

deps=${root:?}/.deps

# A python3 that has pip: the first on PATH, else the system's. Empty when there is none.
find_python() {
  local candidate
  for candidate in python3 /usr/bin/python3; do
    if have "$candidate" && "$candidate" -m pip --version >/dev/null 2>&1; then
      command -v "$candidate"
      return
    fi
  done
}

# The folder of the Python package torch, found without importing it.
python_torch() {
  have python3 || return 0
  python3 -c 'import importlib.util as u, os
s = u.find_spec("torch")
print(os.path.dirname(s.origin) if s and s.origin else "")' 2>/dev/null || true
}

# torch_version DIR: major.minor.patch from its header, empty where there is no LibTorch.
torch_version() {
  local header
  for header in "$1/include/torch/headeronly/version.h" \
    "$1/include/torch/csrc/api/include/torch/version.h"; do
    if grep -q '#define TORCH_VERSION_MAJOR ' "$header" 2>/dev/null; then
      awk '/#define TORCH_VERSION_(MAJOR|MINOR|PATCH) /{v = v sep $3; sep = "."} END {print v}' \
        "$header"
      return
    fi
  done
}

# unusable_torch DIR: prints why LibTorch in DIR cannot be taken; prints nothing when it can.
unusable_torch() {
  local version
  version=$(torch_version "$1")
  if [ -z "$version" ] || [ ! -e "$1/lib/libtorch_cpu.so" ]; then
    echo "is not a LibTorch with headers and libraries"
  elif [ "$(printf '%s\n2.7\n' "$version" | sort -V | head -1)" != 2.7 ]; then
    echo "is version $version, older than 2.7"
  elif ! grep -q __cxx1112basic_string "$1/lib/libc10.so"; then
    echo "has the old C++ ABI"
  fi
}

# Folders that may hold a LibTorch, in order of preference.
torch_candidates() {
  local prefix prefixes
  [ -z "${Torch_DIR:-}" ] || readlink -m "$Torch_DIR/../../.."
  IFS=':;' read -ra prefixes <<<"${CMAKE_PREFIX_PATH:-}"
  for prefix in ${prefixes[@]+"${prefixes[@]}"}; do
    [ ! -e "$prefix/lib/libtorch_cpu.so" ] || echo "$prefix"
    [ ! -e "$prefix/torch/lib/libtorch_cpu.so" ] || echo "$prefix/torch"
  done
  [ ! -e "$deps/torch/torch/lib/libtorch_cpu.so" ] || echo "$deps/torch/torch"
  python_torch
}

# Sets torch_dir to the LibTorch that a build takes, or to nothing; says why one is passed over.
find_torch() {
  local candidate reason
  torch_dir=""
  while IFS= read -r candidate; do
    [ -n "$candidate" ] || continue
    reason=$(unusable_torch "$candidate")
    if [ -z "$reason" ]; then
      torch_dir=$candidate
      return
    fi
    say "LibTorch in $candidate $reason: not taken"
  done < <(torch_candidates)
}

# torch_cuda_major DIR: the CUDA major version LibTorch in DIR was built with, empty for CPU only.
torch_cuda_major() {
  [ -e "$1/lib/libc10_cuda.so" ] || return 0
  grep -aoE 'libcudart[-.a-z0-9]*\.so\.[0-9]+' "$1/lib/libc10_cuda.so" | head -1 |
    grep -oE '[0-9]+$' || true
}

nvcc_candidates() {
  [ -z "${CUDACXX:-}" ] || echo "$CUDACXX"
  command -v nvcc || true
  [ -z "${CUDA_HOME:-}" ] || echo "$CUDA_HOME/bin/nvcc"
  [ -z "${CUDA_PATH:-}" ] || echo "$CUDA_PATH/bin/nvcc"
  echo /usr/local/cuda/bin/nvcc
  echo "$deps/cuda/nvidia/cu13/bin/nvcc"
}

# find_nvcc MAJOR: sets nvcc to a compiler of that CUDA major version, or to nothing.
find_nvcc() {
  local candidate release
  nvcc=""
  while IFS= read -r candidate; do
    [ -x "$candidate" ] || continue
    release=$("$candidate" --version 2>/dev/null | sed -n 's/.*release \([0-9]*\)\..*/\1/p') || true
    if [ "$release" = "$1" ]; then
      nvcc=$candidate
      return
    fi
    say "$candidate is of CUDA ${release:-(it does not run)}, LibTorch of CUDA $1: not taken"
  done < <(nvcc_candidates)
}

# Architectures of the GPUs present as CMake writes them, for example "75;90"; empty without one.
gpu_architectures() {
  have nvidia-smi || return 0
  nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null |
    grep -oE '^[0-9]+\.[0-9]+' | tr -d . | sort -un | paste -sd ';' || true
}
