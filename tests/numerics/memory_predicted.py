"""`lockstep train --dry-run` predicts the memory that the allocator then hands out, by phase and at the peak, within
10 % on 12 configurations: widths, depths, patches, batches, recomputed parts, ZeRO, accumulation, bf16, dropout."""

import re
import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
import program

LIMIT = 0.10
UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
MODEL = {"image_size": 16, "patch_size": 4, "in_channels": 1, "num_classes": 10, "dim": 64, "depth": 4, "heads": 2}
# model settings, other settings, ranks
CONFIGURATIONS = [
    ({}, ["--train.batch_per_rank=32"], 1),
    ({"dim": 192, "heads": 3}, ["--train.batch_per_rank=8"], 1),
    ({"dim": 32, "depth": 12}, ["--train.batch_per_rank=48"], 1),
    ({"patch_size": 2}, ["--train.batch_per_rank=16"], 1),
    ({"depth": 8}, ["--train.batch_per_rank=32", "--memory.recompute=every:1"], 1),
    ({"depth": 9}, ["--train.batch_per_rank=32", "--memory.recompute=every:3"], 1),
    ({"depth": 6}, ["--train.batch_per_rank=32", "--memory.recompute=selective:attention,mlp"], 1),
    ({"dim": 128}, ["--train.batch_per_rank=24", "--memory.recompute=selective:gelu"], 1),
    ({"dim": 128, "heads": 4}, ["--train.batch_per_rank=8", "--parallel.zero=1"], 2),
    ({"depth": 5}, ["--train.batch_per_rank=20", "--precision.compute=bf16"], 1),
    ({"depth": 6, "dropout": 0.1, "drop_path": 0.1, "layer_scale": 0.1},
     ["--train.batch_per_rank=16", "--precision.compute=bf16", "--memory.recompute=every:1"], 1),
    ({"depth": 3, "pool": "avg"},
     ["--train.batch_per_rank=4", "--train.accumulate=4", "--run.determinism=world", "--memory.recompute=selective:mlp"], 2),
]


def bytes_of(text):
    number, unit = re.fullmatch(r"([0-9.]+) (\w+)", text).groups()
    return float(number) * UNITS[unit]


def predicted(command, ranks):
    text = program.must_run(*command, "--dry-run", ranks=ranks).stdout
    found = re.search(r"^memory +(.+?) a rank: (.+?) in forward, (.+?) in backward, (.+?) in the update$", text, re.M)
    return dict(zip(("peak", "forward", "backward", "update"), map(bytes_of, found.groups())))


def measured(command, ranks, run):
    program.must_run(*command, f"--run.dir={run}", "--run.max_steps=3", ranks=ranks)
    result = program.json.loads((run / "result.json").read_text())
    return {phase: result[f"memory_{phase}_bytes"] for phase in ("peak", "forward", "backward", "update")}


def main():
    program.need_mpirun()
    worst = 0
    with program.scratch() as name:
        folder = program.pathlib.Path(name)
        data = program.synthetic(folder / "train.h5", num_samples=300)
        for number, (model, settings, ranks) in enumerate(CONFIGURATIONS):
            command = ["train", f"--data.train={data}", "--run.device=cpu", *settings,
                       *(f"--model.{key}={value}" for key, value in (MODEL | model).items())]
            before, after = predicted(command, ranks), measured(command, ranks, folder / f"run{number}")
            off = {phase: before[phase] / after[phase] - 1 for phase in after}
            print(f"{ranks} ranks {model} {' '.join(settings)}: " +
                  ", ".join(f"{phase} {after[phase] / 2**20:.2f} MiB {off[phase]:+.1%}" for phase in off), flush=True)
            worst = max(worst, *map(abs, off.values()))
    print(f"{len(CONFIGURATIONS)} configurations, the worst is {worst:.1%} off")
    if worst > LIMIT:
        sys.exit(f"a prediction is off by more than {LIMIT:.0%}")


main()
