"""The update of ViT-Ti's parameters on one core against PyTorch's fused AdamW, + clip_grad_norm_, + a foreach average:
same LibTorch, one thread. Both write the gradients outside of the time; ours leaves them zeroed, the peer does not.
Exit 77: the packages are not there, or the machine was too noisy; 1: a ratio is above 1 for certain."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import interleave
from sleeping_peer import SleepingPeer

try:
    import timm  # noqa: F401
    import torch  # noqa: F401
except ImportError as error:
    print(f"skipped: {error}; install tests/oracle/requirements.txt by `launch/setup --oracle`")
    sys.exit(77)

TINY = dict(image_size=224, patch_size=16, in_channels=3, num_classes=1000, dim=192, depth=12, heads=3)
OPTIM = dict(lr=1e-3, weight_decay=0.05, beta1=0.9, beta2=0.999, eps=1e-8)
# name: clip_norm, ema_decay, goal of the ratio
ROWS = {"adamw": (0, 0, 0.85), "adamw_clip": (1.0, 0, 0.70), "adamw_clip_ema": (1.0, 0.999, 0.60)}
BLOCKS, STEPS, WARMUP = 5, 20, 10


def environment():
    return os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def ours(program, clip, ema):
    settings = [f"--model.{key}={value}" for key, value in TINY.items()]
    settings += [f"--optim.{key}={value}" for key, value in OPTIM.items()]
    settings += [f"--optim.clip_norm={clip}", f"--optim.ema_decay={ema}"]
    result = subprocess.run([program, "bench", "optimizer", "--run.device=cpu", *settings, f"--blocks={BLOCKS}",
                             f"--steps={STEPS}", f"--warmup={WARMUP}", "--json"],
                            env=environment(), capture_output=True, text=True, timeout=120)
    if result.returncode != 0:
        sys.exit(f"bench optimizer ended with {result.returncode}:\n{result.stderr[-3000:]}")
    return json.loads(result.stdout.strip().splitlines()[-1])


def measure_row(name, program, rounds):
    clip, ema, goal = ROWS[name]
    setup = {"model": TINY, "optim": OPTIM, "clip_norm": clip, "ema_decay": ema, "blocks": BLOCKS, "steps": STEPS,
             "warmup": WARMUP}
    peer = SleepingPeer([sys.executable, "-s", HERE / "update_peer.py", json.dumps(setup)], environment())
    first = ours(program, clip, ema)
    if first["config"]["parameters"] != peer.first["parameters"]:
        sys.exit(f"ours has {first['config']['parameters']} parameters, the peer {peer.first['parameters']}")
    blocks = interleave.measure(lambda: statistics.median(ours(program, clip, ema)["blocks"]),
                                lambda: statistics.median(peer.ask()["blocks"]), rounds)
    peer.close()
    result = interleave.summary(blocks)
    print(interleave.sentence(name, result, "ms", 1e3), flush=True)
    return {"row": name, "unit": "s an update", "goal": goal, "result": result, "blocks": blocks, "model": TINY,
            "parameters": first["config"]["parameters"], "steps_per_block": STEPS,
            "versions": {"ours": first["versions"], "peer": peer.first["versions"]}}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the built lockstep")
    parser.add_argument("--rows", default=",".join(ROWS), help=f"comma-separated, of {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--out", help="write the record as JSON")
    arguments = parser.parse_args()
    records = [measure_row(name, arguments.program, arguments.rounds) for name in arguments.rows.split(",")]
    interleave.save(arguments.out, {"bench": "update against fused AdamW", "machine": interleave.machine(),
                                    "rows": records})
    if any(record["result"]["void"] for record in records):
        sys.exit(77)
    sys.exit(1 if any(record["result"]["interval_95"][0] > 1.0 for record in records) else 0)


if __name__ == "__main__":
    main()
