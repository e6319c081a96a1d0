"""parallel.zero = 1 trains as parallel.zero = 0 does: 40 steps with clipping and accumulation on 1, 2
and 4 ranks have the same losses and weights, bit for bit where the ranks of one host share memory, and
within 1e-6 where they send messages. A rank holds its part of the optimizer's state
and no more, and the run says so."""

import hashlib
import re
import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
import program

STEPS = 40
SETTINGS = [f"--run.max_steps={STEPS}", "--run.epochs=20", "--train.global_batch=24", "--train.accumulate=3",
            "--optim.lr=5e-3", "--optim.clip_norm=0.5", "--schedule.warmup_steps=5", "--telemetry.log_every=1",
            "--parallel.digest_every=7", "--comm.first_bucket_mib=0.01", "--comm.bucket_mib=0.05"]

OTHER_OPTIMIZERS = [("--optim.name=adam", "--optim.weight_decay=1e-3"), ("--optim.name=sgd", "--optim.lr=5e-2", "--optim.nesterov=true"),
                    ("--optim.name=lion", "--optim.lr=5e-4"), ("--optim.name=adan",)]


def train(folder, data, ranks, zero, *settings):
    run = folder / f"run_{len(list(folder.iterdir()))}"
    program.must_run("train", f"--data.train={data}", f"--run.dir={run}", f"--parallel.zero={zero}",
                     *program.TINY_MODEL, *SETTINGS, *settings, ranks=ranks, timeout_s=200)
    lines = program.read_lines(run / "metrics.jsonl")
    assert [line["step"] for line in lines] == list(range(1, STEPS + 1)), "a step is missing or doubled"
    sent = [record["comm_bytes"] for record in program.read_lines(min((run / "ranks").glob("*.jsonl")))
            if "comm_bytes" in record]
    (weights,) = (run / "snapshots").glob("step_*/model.safetensors")
    return ([line["loss"] for line in lines], [line["grad_norm"] for line in lines],
            hashlib.sha256(weights.read_bytes()).hexdigest(), sent,
            lines[-1]["memory_peak_bytes"])


def state_bytes(data, ranks, zero):
    """Of one rank, as --dry-run says it."""
    text = program.must_run("train", "--dry-run", f"--data.train={data}", f"--parallel.zero={zero}",
                            *program.TINY_MODEL, *SETTINGS, ranks=ranks).stdout
    number, unit = re.search(r"^optimizer +adamw, ([0-9.]+) (\w+) of state a rank", text, re.M).groups()
    return float(number) * {"B": 1, "KiB": 2**10, "MiB": 2**20}[unit]


def largest_difference(found, expected):
    return max(abs(a - b) / abs(b) for a, b in zip(found, expected))


def same(folder, data, ranks, *settings, falls_to=0.98):
    whole = train(folder, data, ranks, 0, *settings)
    parts = train(folder, data, ranks, 1, *settings)
    assert parts[0] == whole[0], f"{ranks} ranks {settings}: the losses differ with parallel.zero = 1"
    assert parts[2] == whole[2], f"{ranks} ranks {settings}: the weights differ with parallel.zero = 1"
    # Squares are added slice by slice.
    assert largest_difference(parts[1], whole[1]) < 1e-12, f"{ranks} ranks {settings}: the gradient norms differ"
    assert whole[0][-1] < falls_to * whole[0][0], f"the run does not learn: {whole[0][0]} to {whole[0][-1]}"
    print(f"{ranks} ranks {' '.join(settings)}: the same bits")
    return whole, parts


def main():
    program.need_mpirun()
    with program.scratch() as name:
        folder = program.pathlib.Path(name)
        data = program.synthetic(folder / "train.h5", num_samples=100)
        for ranks in (1, 2, 4):
            whole, parts = same(folder, data, ranks)
            assert all(abs(a - b) <= 0.01 * b for a, b in zip(parts[3], whole[3])), "bytes do not compare"
            state, part = state_bytes(data, ranks, 0), state_bytes(data, ranks, 1)
            assert abs(part * ranks / state - 1) < 0.05, f"{ranks} ranks hold {part} of {state} bytes each"
            # The activations of both runs are the same, so what is saved is the state.
            saved = whole[4] - parts[4]
            assert abs(saved - (state - part)) < 0.02 * state, f"memory_peak_bytes shows {saved} saved bytes"
        same(folder, data, 2, "--comm.wire=bf16")
        for settings in OTHER_OPTIMIZERS:
            same(folder, data, 2, *settings, falls_to=1)
        whole = train(folder, data, 2, 0, "--comm.backend=mpi")
        parts = train(folder, data, 2, 1, "--comm.backend=mpi")
        difference = largest_difference(parts[0], whole[0])
        print(f"by messages: largest relative difference {difference:.2e}")
        assert difference < 1e-6, "losses differ where ranks send messages"


main()
