# shellcheck shell=bash
# What one node offers to ranks, and the settings Open MPI gets from us. Sourced after base.sh.

program=${root:?}/build/release/bin/lockstep
export program

require_program() {
  [ -x "$program" ] || die 69 "build/release/bin/lockstep is not there: run launch/build first"
}

# GPUs that a program started now would see.
count_gpus() {
  local names
  if [ -n "${CUDA_VISIBLE_DEVICES+set}" ]; then
    tr ',' '\n' <<<"$CUDA_VISIBLE_DEVICES" | grep -cE '^(GPU-|MIG-|[0-9])' || true
    return
  fi
  have nvidia-smi || { echo 0; return; }
  names=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null) || { echo 0; return; }
  grep -c . <<<"$names" || true
}

# Physical cores within this process's affinity mask (hardware threads of one core count once).
count_cores() {
  local cores
  cores=$(lscpu -p=CPU,CORE,SOCKET 2>/dev/null | grep -v '^#' | awk -F, -v mask="$(allowed_cpus)" '
    BEGIN {
      n = split(mask, part, ",")
      for (i = 1; i <= n; i++) {
        if (split(part[i], ends, "-") == 1) ends[2] = ends[1]
        for (c = ends[1]; c <= ends[2]; c++) allowed[c] = 1
      }
    }
    ($1 in allowed) && !(($2, $3) in seen) { seen[$2, $3] = 1; count++ }
    END { print count + 0 }' || true)
  [ "${cores:-0}" -ge 1 ] || cores=$(nproc)
  echo "$cores"
}

allowed_cpus() { awk '/^Cpus_allowed_list/ {print $2}' /proc/self/status; }

count_numa_nodes() {
  local nodes
  nodes=$(find /sys/devices/system/node -maxdepth 1 -name 'node[0-9]*' 2>/dev/null | wc -l)
  echo $((nodes > 0 ? nodes : 1))
}

# Settings every mpirun of ours gets; what the user has set already stays. Keep-alive: a host that
# lost its power or its network is noticed after 5 + 2 x 3 s instead of hours. When a rank
# dies, mpirun waits 2 s, sends the others SIGTERM, waits as long again and kills them.
export_mpi_settings() {
  if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  fi
  export OMPI_MCA_oob_tcp_keepalive_time=${OMPI_MCA_oob_tcp_keepalive_time:-5}
  export OMPI_MCA_oob_tcp_keepalive_intvl=${OMPI_MCA_oob_tcp_keepalive_intvl:-2}
  export OMPI_MCA_oob_tcp_keepalive_probes=${OMPI_MCA_oob_tcp_keepalive_probes:-3}
  export OMPI_MCA_odls_base_sigkill_timeout=${OMPI_MCA_odls_base_sigkill_timeout:-2}
}

# Sets mpi_arguments for RANKS ranks of this node that have CORES physical cores to share, and
# OMP_NUM_THREADS. A rank is never bound to one core: its communication and reader threads would
# then take turns with its computing.
place_ranks() {
  local ranks=$1 cores=$2 per_rank numa
  per_rank=$((cores / ranks))
  numa=$(count_numa_nodes)
  if [ $per_rank -ge 2 ]; then
    export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$((per_rank - 1))}
    mpi_arguments=(-np "$ranks" --bind-to core)
    if [ "$numa" -gt 1 ] && [ $((ranks % numa)) -eq 0 ] && [ $((cores % numa)) -eq 0 ]; then
      mpi_arguments+=(--map-by "ppr:$((ranks / numa)):numa:PE=$per_rank")
    else
      mpi_arguments+=(--map-by "slot:PE=$per_rank")
    fi
  else
    export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
    mpi_arguments=(-np "$ranks" --bind-to none)
  fi
  if [ "$ranks" -gt "$cores" ]; then
    mpi_arguments+=(--oversubscribe)
    export OMPI_MCA_mpi_yield_when_idle=${OMPI_MCA_mpi_yield_when_idle:-1}
  elif [ $per_rank -lt 2 ]; then
    # No mpi_yield_when_idle here: a communication thread that yields beside a computing one waits
    # for milliseconds until it has the core again.
    export OMPI_MCA_rmaps_base_oversubscribe=1
  fi
}

# One rank a GPU; without one, a rank a core up to four cores and a rank four cores above that.
default_ranks() {
  local gpus=$1 cores=$2
  if [ "$gpus" -ge 1 ]; then
    echo "$gpus"
  elif [ "$cores" -le 4 ]; then
    echo "$cores"
  else
    echo $((cores / 4))
  fi
}
