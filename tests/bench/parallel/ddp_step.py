"""The two-rank step on the CPU against PyTorch's DDP over gloo: same weights, batch, LibTorch, cores; the one-rank step
against the same module without DDP. With --exposed
also what communication adds to the step on both sides: the step minus the same step of two processes that do not
communicate. Losses must agree before anything is timed. Exit 77: the packages are not there, or the machine was too
noisy; 1: the losses differ, or ours is slower for certain."""

import argparse
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import interleave
from sleeping_peer import SleepingPeer

try:
    import torch
    from safetensors.torch import save_file
    from timm.models.vision_transformer import VisionTransformer
except ImportError as error:
    print(f"skipped: {error}; install tests/oracle/requirements.txt by `launch/setup --oracle`")
    sys.exit(77)

MICRO = dict(image_size=32, patch_size=4, in_channels=3, num_classes=10, dim=64, depth=2, heads=2)
TINY = dict(image_size=64, patch_size=8, in_channels=3, num_classes=10, dim=192, depth=12, heads=3)
TINY224 = TINY | dict(image_size=224, patch_size=16)


@dataclasses.dataclass(frozen=True)
class Row:
    model: dict
    batch: int  # a rank
    steps: int  # a block
    ranks: int = 2
    gated: bool = False  # ours must not be slower


ROWS = {"micro8": Row(MICRO, 8, 20, gated=True), "micro1": Row(MICRO, 1, 60), "solo1": Row(MICRO, 1, 100, ranks=1),
        "tiny8": Row(TINY, 8, 3), "tiny224": Row(TINY224, 4, 1)}
OPTIM = dict(lr=1e-3, weight_decay=0.05, beta1=0.9, beta2=0.999, eps=1e-8)
WARMUP_STEPS = 20
BLOCKS = 5  # of a launch; its figure is their median
LOSS_LIMIT = 1e-4
# Our program keeps freed memory; the peer may too, where that is faster for it.
MALLOC = {"default": {}, "kept": {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**40)}}
WAY = ("module", "bucket_mib", "first_bucket_mib", "malloc")
# Without them a rank of mpirun is a process of its own.
LAUNCHER = ("OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS")


def mpirun(ranks, *command):
    """Both sides start the same way: unbound, one compute thread a rank."""
    return ["mpirun", "-np", str(ranks), "--bind-to", "none", *map(str, command)]


def environment(malloc="default"):
    return os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"} | MALLOC[malloc]


def run(ranks, *command, malloc="default"):
    """The JSON object on the last line."""
    result = subprocess.run(mpirun(ranks, *command), env=environment(malloc), capture_output=True, text=True, timeout=300)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {result.returncode}:\n{result.stderr[-3000:]}")
    return json.loads(result.stdout.strip().splitlines()[-1])


def median_block(records, steps):
    """Seconds a step in the middle block of `steps` steps, of processes that wait for the slowest after each step."""
    slowest = [max(times) for times in zip(*(record["step_seconds"] for record in records), strict=True)]
    return statistics.median(sum(slowest[i:i + steps]) / steps for i in range(0, len(slowest), steps))


def run_alone(ranks, steps, *command):
    """As many processes that do not know of each other: the slower figure, and the figure that they would have if each
    step ended when its slowest process had done it, which communication for nothing would cost."""
    unset = [word for name in LAUNCHER for word in ("-u", name)]
    result = subprocess.run(mpirun(ranks, "env", *unset, *command), env=environment(), capture_output=True, text=True,
                            timeout=300)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {result.returncode}:\n{result.stderr[-3000:]}")
    records = [json.loads(line) for line in result.stdout.strip().splitlines() if line.startswith("{")]
    assert [record["config"]["ranks"] for record in records] == [1] * ranks, "these processes found each other"
    return max(statistics.median(record["blocks"]) for record in records), median_block(records, steps)


class Peer(SleepingPeer):
    """Ranks that stay alive; ours are started anew for each block."""

    def __init__(self, ranks, setup, steps, malloc):
        super().__init__(mpirun(ranks, *peer_command(setup, steps)), environment(malloc))

    def block(self):
        return statistics.median(self.ask()["blocks"])


def write_inputs(folder, row):
    """Weights far enough from symmetry, and one global batch, for both sides."""
    model, num_samples = row.model, row.ranks * row.batch
    torch.manual_seed(5)
    vit = VisionTransformer(img_size=model["image_size"], patch_size=model["patch_size"],
                            in_chans=model["in_channels"], num_classes=model["num_classes"],
                            embed_dim=model["dim"], depth=model["depth"], num_heads=model["heads"])
    save_file(vit.state_dict(), folder / "weights.safetensors")
    size = model["image_size"]
    save_file({"x": torch.randn(num_samples, model["in_channels"], size, size),
               "y": torch.randint(0, model["num_classes"], (num_samples,))}, folder / "batch.safetensors")


def our_command(program, folder, row):
    settings = [f"--model.{key}={value}" for key, value in row.model.items()]
    settings += [f"--optim.{key}={value}" for key, value in OPTIM.items()]
    return [program, "bench", "step", "--run.device=cpu", *settings, "--schedule.name=constant",
            f"--train.batch_per_rank={row.batch}", f"--weights.init={folder / 'weights.safetensors'}",
            f"--bench.batch_file={folder / 'batch.safetensors'}", f"--warmup={WARMUP_STEPS}", f"--blocks={BLOCKS}",
            f"--steps={row.steps}", "--json"]


def peer_command(setup, steps, *more):
    return [sys.executable, "-s", HERE / "ddp_peer.py", setup, f"--warmup={WARMUP_STEPS}", f"--blocks={BLOCKS}",
            f"--steps={steps}", *more]


def check_losses(name, ours, peer):
    worst = max(abs(a - b) / abs(b) for a, b in zip(ours, peer, strict=True))
    print(f"{name}: losses of {len(peer)} steps agree to {worst:.1e}")
    if not worst <= LOSS_LIMIT:
        sys.exit(f"{name}: losses differ by {worst:.1e}, more than {LOSS_LIMIT}: nothing is timed")
    return worst


def tune_peer(row, setup):
    """Its ways of doing the step, best first."""
    ways = [way | {"malloc": malloc} for malloc in MALLOC
            for way in run(row.ranks, *peer_command(setup, max(2, row.steps // 4), "--tune"), malloc=malloc)["ways"]]
    return sorted(ways, key=lambda way: min(way["blocks"]))


def measure_row(name, program, folder, rounds, with_exposed):
    row = ROWS[name]
    write_inputs(folder, row)
    setup = folder / "setup.json"
    description = {"model": row.model, "optim": OPTIM, "weights": str(folder / "weights.safetensors"),
                   "batch": str(folder / "batch.safetensors"), "batch_per_rank": row.batch}
    setup.write_text(json.dumps(description))
    tuned = tune_peer(row, setup)
    way = {key: tuned[0][key] for key in WAY}
    print(f"{name}: the peer's best of {len(tuned)} ways is {way}")
    setup.write_text(json.dumps(description | {"way": way}))

    def ours():
        return run(row.ranks, *our_command(program, folder, row))

    peer = Peer(row.ranks, setup, row.steps, way["malloc"])
    first = ours()
    worst = check_losses(name, first["losses"], peer.first["losses"])
    blocks = interleave.measure(lambda: statistics.median(ours()["blocks"]), peer.block, rounds)
    peer.close()
    result = interleave.summary(blocks)
    print(interleave.sentence(name, result, "ms", 1e3), flush=True)
    exposed = measure_exposed(name, program, folder, way, description, rounds) if with_exposed else None
    return {"row": name, "unit": "s a step", "result": result, "exposed": exposed, "blocks": blocks,
            "losses_agree_to": worst, **dataclasses.asdict(row), "blocks_per_launch": BLOCKS, "peer_way": way,
            "peer_tuning": tuned, "versions": {"ours": first["versions"], "peer": peer.first["versions"]}}


def measure_exposed(name, program, folder, way, description, rounds):
    """(step - step alone) of ours over that of the peer, each pair of neighbouring blocks."""
    row = ROWS[name]
    setup, setup_alone = folder / "setup.json", folder / "alone.json"
    setup_alone.write_text(json.dumps(description | {"way": way | {"alone": True}}))
    peer = Peer(row.ranks, setup, row.steps, way["malloc"])
    peer_alone = Peer(row.ranks, setup_alone, row.steps, way["malloc"])
    command = our_command(program, folder, row)
    waiting = []  # of ours alone

    def ours_alone():
        alone, in_step = run_alone(row.ranks, row.steps, *command)
        waiting.append(in_step - alone)
        return alone

    sides = {"ours": lambda: statistics.median(run(row.ranks, *command)["blocks"]), "ours alone": ours_alone,
             "peer": peer.block, "peer alone": peer_alone.block}
    blocks = {side: [] for side in sides}
    for number in range(rounds):
        order = list(sides) if number % 2 == 0 else list(reversed(sides))
        for side in order:
            blocks[side].append(sides[side]())
    peer.close()
    peer_alone.close()
    exposed = {side: [a - b for a, b in zip(blocks[side], blocks[f"{side} alone"])] for side in ("ours", "peer")}
    middle = {side: statistics.median(values) for side, values in exposed.items()}
    if min(exposed["peer"]) <= 0:
        print(f"{name}: exposed: VOID, the peer's steps alone took longer than together: the machine was too noisy")
        return {"row": f"{name} exposed", "void": True, "blocks": blocks}
    ratios = [a / b for a, b in zip(exposed["ours"], exposed["peer"])]
    low, high = interleave.interval(ratios)
    scaling = statistics.median(b / a for a, b in zip(blocks["ours"], blocks["ours alone"]))
    print(f"{name}: exposed: ours {1e3 * middle['ours']:.3f} ms, peer {1e3 * middle['peer']:.3f} ms, ratio "
          f"{statistics.median(ratios):.3f} ({low:.3f} to {high:.3f}); weak scaling of ours {scaling:.3f}, {rounds} rounds",
          flush=True)
    rest = statistics.median(a - b for a, b in zip(exposed["ours"], waiting))
    print(f"{name}: of ours {1e3 * statistics.median(waiting):.3f} ms is waiting for the slower process of each step, "
          f"{1e3 * rest:.3f} ms is left for all else", flush=True)
    return {"row": f"{name} exposed", "waiting": waiting, "unit": "s a step", "exposed_median": middle, "ratios": ratios,
            "interval_95": [low, high], "weak_scaling": scaling, "blocks": blocks}


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the built lockstep")
    parser.add_argument("--rows", default="micro8", help=f"comma-separated, of {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--exposed", action="store_true", help="also the share of communication")
    parser.add_argument("--out", help="write the record as JSON")
    return parser.parse_args()


def main():
    arguments = parse()
    records = []
    for name in arguments.rows.split(","):
        with tempfile.TemporaryDirectory(prefix="lockstep_bench_") as folder:
            records.append(measure_row(name, arguments.program, pathlib.Path(folder), arguments.rounds,
                                       arguments.exposed))
    interleave.save(arguments.out, {"bench": "step against DDP", "machine": interleave.machine(), "rows": records})
    gated = [record for record in records if ROWS[record["row"]].gated]
    if any(record["result"]["void"] for record in gated):
        sys.exit(77)
    sys.exit(1 if any(record["result"]["interval_95"][0] > 1.0 for record in gated) else 0)


if __name__ == "__main__":
    main()
