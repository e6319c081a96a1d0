"""Ranks that were started differently: refused before any data is read, with the key, both values and the ranks named.
Also a step of several Slurm tasks in which MPI cannot find the others."""

import os
import pathlib
import subprocess
import sys
import time

LOCKSTEP = str(pathlib.Path(os.environ["LOCKSTEP_BIN"]) / "lockstep")
LIMIT_S = 20  # of a whole start and end under mpirun on a busy machine
COMMON = ["train", "--run.device=cpu", "--data.train=/nowhere/train.h5"]
# What rank 1 has besides what both have; what must be said.
CASES = {
    "a setting": (["--optim.lr=0.5"], ["optim.lr", "0.001 on rank 0", "0.5 on rank 1"]),
    "the seed": (["--run.seed=7"], ["run.seed", "0 on rank 0", "7 on rank 1"]),
    "the data": (["--data.train=/elsewhere.h5"], ["data.train", "/nowhere/train.h5 on rank 0", "/elsewhere.h5 on rank 1"]),
    "the bucket plan": (["--comm.bucket_mib=8"], ["comm.bucket_mib", "8 on rank 1"]),
    "a flag": (["--dry-run"], ["--dry-run is missing on rank 0 and true on rank 1"]),
}


def check(name, result, seconds, code, texts, records=1):
    """The words about a failure of a case; none when all is well."""
    problems = [f"{text!r} is missing" for text in texts if text not in result.stderr]
    if result.returncode != code:
        problems.append(f"exit code {result.returncode} instead of {code}")
    if result.stderr.count("FATAL ") != records:
        problems.append(f"{result.stderr.count('FATAL ')} FATAL records")
    if seconds > LIMIT_S:
        problems.append(f"took {seconds:.1f} s")
    print(f"{name}: {'; '.join(problems) or 'refused'}")
    if problems:
        print(result.stderr)
    return bool(problems)


def timed(*command, **more):
    begin = time.monotonic()
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **more)
    return result, time.monotonic() - begin


def tasks_without_means():
    """Two tasks as srun starts them without PMIx: both leave, the first one speaks."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("OMPI_", "PMI"))}
    failed = False
    for task, texts, records in (("0", ["srun --mpi=pmix"], 1), ("1", [], 0)):
        result, seconds = timed(LOCKSTEP, *COMMON, env=plain | {"SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": task})
        failed |= check(f"Slurm task {task}", result, seconds, 69, texts, records)
    # A plain run inside an salloc shell has a step of one task.
    result, seconds = timed(LOCKSTEP, *COMMON, env=plain | {"SLURM_STEP_NUM_TASKS": "1", "SLURM_JOB_ID": "5"})
    return failed | check("a shell of an allocation", result, seconds, 74, ["/nowhere/train.h5"])


def main():
    failed = tasks_without_means()
    for name, (more, texts) in CASES.items():
        result, seconds = timed("mpirun", "-np", "1", LOCKSTEP, *COMMON, ":", "-np", "1", LOCKSTEP, *COMMON, *more)
        failed |= check(name, result, seconds, 78, texts)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
