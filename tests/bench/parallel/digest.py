"""What comparing the ranks' state costs: two-rank steps of ViT-Ti and micro-ViT with the digest in every step
against none, so that a digest every 50 steps costs a fiftieth of the difference. Exit 77: the machine was too noisy;
1: more than 1 % of a step for certain."""

import argparse
import statistics
import sys
import tempfile
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import interleave
from ddp_step import ROWS, our_command, run, write_inputs

EVERY = 50  # the default of parallel.digest_every
LIMIT = 0.01


def measure_row(name, program, folder, rounds):
    row = ROWS[name]
    write_inputs(folder, row)
    command = our_command(program, folder, row)

    def step(every):
        return lambda: statistics.median(run(row.ranks, *command, f"--parallel.digest_every={every}")["blocks"])

    blocks = interleave.measure(step(1), step(0), rounds)
    result = interleave.summary(blocks)
    print(interleave.sentence(f"{name}: a digest a step against none", result, "ms", 1e3))
    share = [(ratio - 1) / EVERY for ratio in (result["ratio"], *result["interval_95"])]
    print(f"{name}: every {EVERY} steps {share[0]:.3%} of the time ({share[1]:.3%} to {share[2]:.3%})", flush=True)
    return {"row": name, "result": result, "share": share, "blocks": blocks}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the built lockstep")
    parser.add_argument("--rows", default="micro8,tiny8", help=f"comma-separated, of {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", help="write the record as JSON")
    arguments = parser.parse_args()
    records = []
    for name in arguments.rows.split(","):
        with tempfile.TemporaryDirectory(prefix="lockstep_bench_") as folder:
            records.append(measure_row(name, arguments.program, pathlib.Path(folder), arguments.rounds))
    interleave.save(arguments.out, {"bench": "digest", "machine": interleave.machine(), "rows": records})
    if all(record["result"]["void"] for record in records):
        sys.exit(77)
    sys.exit(1 if any(record["share"][1] > LIMIT for record in records) else 0)


if __name__ == "__main__":
    main()
