"""An all-reduce of two ranks on one host against gloo and MPI_Allreduce: same bytes, cores and number of processes,
interleaved. A ratio above 1 means that ours takes less time. Exit 77: torch is not there, or every row is void; 1: a
row that is not void misses its goal."""

import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import interleave

RANKS = 2
BLOCKS = 5  # of a launch; its figure is their median
# bytes: calls a block, goals against gloo and against MPI
ROWS = {32 << 10: (2000, 50, 3), 2 << 20: (200, 6, 1), 128 << 20: (5, 3, 3)}


def run(*command, environment=None):
    full = ["mpirun", "-np", str(RANKS), "--bind-to", "none", *map(str, command)]
    result = subprocess.run(full, env=os.environ | {"OMP_NUM_THREADS": "1"} | (environment or {}), capture_output=True,
                            text=True, timeout=300)
    if result.returncode != 0:
        sys.exit(f"{' '.join(full)} ended with {result.returncode}:\n{result.stderr[-3000:]}")
    return result.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def sides(arguments, size, calls):
    def ours():
        text = run(arguments.program, "bench", "allreduce", "--run.device=cpu", f"--bytes={size}", f"--steps={calls}",
                   f"--blocks={BLOCKS}", "--json")
        return statistics.median(json.loads(text.splitlines()[-1])["blocks"])

    def gloo():
        text = run(sys.executable, "-s", HERE / "gloo_peer.py", size, max(3, calls // 10), BLOCKS,
                   environment={"PEER_PORT": free_port()})
        return statistics.median(json.loads(text.splitlines()[-1])["blocks"])

    def mpi():
        text = run(arguments.mpi_peer, size, calls, BLOCKS)
        return statistics.median(float(line) for line in text.split())

    return ours, gloo, mpi


def measure(name, goal, ours, peer, rounds):
    blocks = interleave.measure(ours, peer, rounds, say=lambda text: print(text, file=sys.stderr))
    result = interleave.summary(blocks)
    result["ratio"] = 1 / result["ratio"]
    result["interval_95"] = sorted(1 / value for value in result["interval_95"])
    print(interleave.sentence(name, result, "us", 1e6), flush=True)
    return {"row": name, "goal": goal, "met": not result["void"] and result["interval_95"][0] >= goal,
            "result": result, "blocks": blocks}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the built lockstep")
    parser.add_argument("mpi_peer", help="the built bench_mpi_allreduce")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", help="write the record as JSON")
    arguments = parser.parse_args()
    try:
        import torch  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error}")
        sys.exit(77)
    rows = []
    for size, (calls, goal_gloo, goal_mpi) in ROWS.items():
        ours, gloo, mpi = sides(arguments, size, calls)
        text = f"all-reduce of {size >> 10} KiB, {RANKS} ranks"
        rows.append(measure(f"{text}, against MPI_Allreduce", goal_mpi, ours, mpi, arguments.rounds))
        rows.append(measure(f"{text}, against gloo", goal_gloo, ours, gloo, arguments.rounds))
    interleave.save(arguments.out, {"bench": "all-reduce", "machine": interleave.machine(), "rows": rows})
    valid = [row for row in rows if not row["result"]["void"]]
    sys.exit(77 if not valid else 0 if all(row["met"] for row in valid) else 1)


if __name__ == "__main__":
    main()
