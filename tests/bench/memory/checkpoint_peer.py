"""The peer of recompute.py: a ViT in PyTorch, one process, plain or with every block under torch.utils.checkpoint. It
prints the losses of the warm-up and the activation memory of a step, then waits for a line on standard input before
each block of steps and answers with its seconds a step."""

import argparse
import json
import pathlib
import sys
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch.profiler import ProfilerActivity, profile
from torch.utils.checkpoint import checkpoint

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "parallel"))
from plain_vit import PlainVit, adamw


class CheckpointedVit(PlainVit):
    def run_block(self, block, x):
        # Its cheapest way: no random numbers to bring back, nothing to compare.
        return checkpoint(block, x, use_reentrant=False, preserve_rng_state=False, determinism_check="none")


class Trainer:
    def __init__(self, setup, recompute):
        self.module = (CheckpointedVit if recompute else PlainVit)(setup["model"])
        self.module.load_state_dict(load_file(setup["weights"]))
        self.module.train()
        self.optimizer = adamw(self.module, setup["optim"])
        batch = load_file(setup["batch"])
        self.x, self.y = batch["x"], batch["y"]

    def gradients(self):
        loss = F.cross_entropy(self.module(self.x), self.y)
        loss.backward()
        return loss.detach()

    def step(self):
        loss = self.gradients()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=False)
        return loss.item()


def activation_bytes(trainer):
    """The most that the allocator gave out above what was there before, as its reports to the profiler say."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        trainer.gradients()
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    live = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        live += event.nbytes()
        peak = max(peak, live)
    trainer.optimizer.zero_grad(set_to_none=False)
    return peak


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("setup")
    parser.add_argument("--recompute", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3)
    arguments = parser.parse_args()
    setup = json.loads(pathlib.Path(arguments.setup).read_text())
    torch.set_num_threads(arguments.threads)
    trainer = Trainer(setup, arguments.recompute)
    losses = [trainer.step() for _ in range(arguments.warmup)]
    print(json.dumps({"losses": losses, "activation_bytes": activation_bytes(trainer),
                      "versions": {"torch": torch.__version__}}), flush=True)
    for _ in sys.stdin:
        trainer.step()  # caches and clocks are as in the middle of a run again
        begin = time.perf_counter()
        for _ in range(arguments.steps):
            trainer.step()
        print(json.dumps({"seconds": (time.perf_counter() - begin) / arguments.steps}), flush=True)


main()
