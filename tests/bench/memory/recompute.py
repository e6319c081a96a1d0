"""Recomputed blocks against torch.utils.checkpoint in the same LibTorch: what each saves of its own plain step's
activation memory and adds to its time. All sides take turns. Losses must agree before anything is timed. Exit 77: the
packages are not there."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "parallel")]
import interleave
from sleeping_peer import SleepingPeer

try:
    import torch
    from plain_vit import PlainVit
    from safetensors.torch import save_file
except ImportError as error:
    print(f"skipped: {error}; install tests/oracle/requirements.txt by `launch/setup --oracle`")
    sys.exit(77)

BASE = dict(image_size=224, patch_size=16, in_channels=3, num_classes=1000, dim=768, depth=12, heads=12)
TINY = dict(image_size=64, patch_size=8, in_channels=3, num_classes=10, dim=192, depth=12, heads=3)
# name: model, batch, warm-up steps whose losses are compared, steps a block, threads, our modes
ROWS = {"base2": (BASE, 2, 2, 1, 2, ["every:1"]),
        "tiny8": (TINY, 8, 20, 4, 1, ["every:1", "selective:attention,mlp", "selective:mlp", "selective:gelu"])}
OPTIM = dict(lr=1e-3, weight_decay=0.05, beta1=0.9, beta2=0.999, eps=1e-8)
LOSS_LIMIT = 1e-4


def write_inputs(folder, model, batch):
    torch.manual_seed(5)
    vit = PlainVit(model)
    state = {name: torch.randn_like(value) * 0.02 if value.dim() > 1 else value
             for name, value in vit.state_dict().items()}
    save_file(state, folder / "weights.safetensors")
    size = model["image_size"]
    save_file({"x": torch.randn(batch, model["in_channels"], size, size),
               "y": torch.randint(0, model["num_classes"], (batch,))}, folder / "batch.safetensors")


def our_block(program, folder, row, mode, warmup=1):
    """One launch: the JSON record of a block of steps."""
    model, batch, _, steps, threads, _ = ROWS[row]
    command = [program, "bench", "step", "--run.device=cpu", f"--memory.recompute={mode}", "--schedule.name=constant",
               *(f"--model.{key}={value}" for key, value in model.items()),
               *(f"--optim.{key}={value}" for key, value in OPTIM.items()), f"--train.batch_per_rank={batch}",
               f"--weights.init={folder / 'weights.safetensors'}",
               f"--bench.batch_file={folder / 'batch.safetensors'}", f"--warmup={warmup}", "--blocks=1",
               f"--steps={steps}", "--json"]
    result = subprocess.run(list(map(str, command)), env=environment(threads), capture_output=True, text=True, timeout=300)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {result.returncode}:\n{result.stderr[-3000:]}")
    return json.loads(result.stdout.strip().splitlines()[-1])


def environment(threads):
    return os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}


def start_peer(folder, row, recompute):
    _, _, compared, steps, threads, _ = ROWS[row]
    command = [sys.executable, "-s", HERE / "checkpoint_peer.py", folder / "setup.json", f"--threads={threads}",
               f"--warmup={compared}", f"--steps={steps}", *(["--recompute"] if recompute else [])]
    return SleepingPeer(command, environment(threads))


def overhead(seconds, side, plain):
    """Of pairs of neighbouring blocks, with an interval of 95 %."""
    ratios = [a / b for a, b in zip(seconds[side], seconds[plain])]
    return {"ratio": statistics.median(ratios), "interval_95": interleave.interval(ratios)}


def measure_row(row, program, folder, rounds):
    model, batch, compared, steps, threads, modes = ROWS[row]
    write_inputs(folder, model, batch)
    (folder / "setup.json").write_text(json.dumps({"model": model, "optim": OPTIM, "weights": str(folder / "weights.safetensors"),
                                                   "batch": str(folder / "batch.safetensors")}))
    first = {mode: our_block(program, folder, row, mode, compared) for mode in ("none", *modes)}
    peers = {"peer none": start_peer(folder, row, False), "peer checkpoint": start_peer(folder, row, True)}
    expected = peers["peer none"].first["losses"]
    for name, losses in [*((mode, first[mode]["losses"]) for mode in first),
                         ("peer checkpoint", peers["peer checkpoint"].first["losses"])]:
        worst = max(abs(a - b) / abs(b) for a, b in zip(losses, expected, strict=True))
        if not worst <= LOSS_LIMIT:
            sys.exit(f"{row}: losses of {name} differ by {worst:.1e}: nothing is timed")
    held = {f"ours {mode}": max(first[mode]["memory_forward_bytes"], first[mode]["memory_backward_bytes"])
            - first[mode]["memory_update_bytes"] for mode in first}
    held |= {name: peer.first["activation_bytes"] for name, peer in peers.items()}
    sides = {f"ours {mode}": (lambda mode=mode: our_block(program, folder, row, mode)["blocks"][0]) for mode in first}
    # Twice, as its own control.
    sides["ours none again"] = sides["ours none"]
    sides |= {name: (lambda peer=peer: peer.ask()["seconds"]) for name, peer in peers.items()}
    seconds = {side: [] for side in sides}
    print(f"{row}: losses agree; {rounds} rounds", flush=True)
    for number in range(rounds):
        order = list(sides) if number % 2 == 0 else list(reversed(sides))
        for side in order:
            seconds[side].append(sides[side]())
    for peer in peers.values():
        peer.close()
    return report(row, held, seconds, {"model": model, "batch": batch, "steps_per_block": steps, "threads": threads,
                                       "versions": {"ours": first["none"]["versions"],
                                                    "peer": peers["peer none"].first["versions"]}})


def report(row, held, seconds, setup):
    control = overhead(seconds, "ours none again", "ours none")
    figures = {}
    for side in held:
        plain = "peer none" if side.startswith("peer") else "ours none"
        figures[side] = {"activation_bytes": held[side], "memory": held[side] / held[plain] - 1,
                         "seconds": statistics.median(seconds[side]), "time": overhead(seconds, side, plain)}
        low, high = figures[side]["time"]["interval_95"]
        print(f"{row}: {side}: {held[side] / 2**20:.1f} MiB ({figures[side]['memory']:+.1%}), "
              f"{figures[side]['seconds'] * 1e3:.1f} ms ({figures[side]['time']['ratio'] - 1:+.1%}, "
              f"{low - 1:+.1%} to {high - 1:+.1%})", flush=True)
    void = not interleave.CONTROL[0] <= control["ratio"] <= interleave.CONTROL[1]
    print(f"{row}: control {control['ratio']:.3f}{' VOID: the machine was too noisy' if void else ''}, "
          f"{len(seconds['ours none'])} rounds", flush=True)
    return {"row": row, "figures": figures, "control": control, "void": void, "blocks": seconds, **setup}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the built lockstep")
    parser.add_argument("--rows", default="tiny8", help=f"comma-separated, of {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=interleave.LEAST_ROUNDS)
    parser.add_argument("--out", help="write the record as JSON")
    arguments = parser.parse_args()
    records = []
    for row in arguments.rows.split(","):
        with tempfile.TemporaryDirectory(prefix="lockstep_bench_") as folder:
            records.append(measure_row(row, arguments.program, pathlib.Path(folder), arguments.rounds))
    interleave.save(arguments.out, {"bench": "recompute", "machine": interleave.machine(), "rows": records})


main()
