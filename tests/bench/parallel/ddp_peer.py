"""The peer of ddp_step.py: a ViT under PyTorch's DDP over gloo, one process a rank under mpirun. Rank 0 prints
the losses of the warm-up, then waits for a line on standard input before each block and answers with the block's
times; both ranks sleep meanwhile. `--tune` times its own ways of doing the step instead, best first."""

import argparse
import json
import os
import sys
import time

import torch
import torch.distributed as dist
import torch.nn.functional as F
from plain_vit import PlainVit, adamw
from safetensors.torch import load_file
from timm.models.vision_transformer import VisionTransformer
from torch import nn


RETURN_STEPS = 5  # before a block: caches and clocks are as in the middle of a run again


def timm_vit(model):
    return VisionTransformer(img_size=model["image_size"], patch_size=model["patch_size"], in_chans=model["in_channels"],
                             num_classes=model["num_classes"], embed_dim=model["dim"], depth=model["depth"],
                             num_heads=model["heads"])


class Trainer:
    """One way of doing the step: which module, which buckets."""

    def __init__(self, setup, way):
        module = (timm_vit if way["module"] == "timm" else PlainVit)(setup["model"])
        module.load_state_dict(load_file(setup["weights"]))
        module.train()
        # Without a constructor argument for it, the size of the first bucket is a constant of the package.
        dist._DEFAULT_FIRST_BUCKET_BYTES = int(way["first_bucket_mib"] * 2**20)
        if way.get("alone") or dist.get_world_size() == 1:  # the same steps without any communication
            self.ddp = module
        else:
            self.ddp = nn.parallel.DistributedDataParallel(module, gradient_as_bucket_view=True, static_graph=True,
                                                           broadcast_buffers=False, bucket_cap_mb=way["bucket_mib"])
        self.optimizer = adamw(module, setup["optim"])
        batch = load_file(setup["batch"])
        rank, size = dist.get_rank(), setup["batch_per_rank"]
        self.x = batch["x"][rank * size:(rank + 1) * size].contiguous()
        self.y = batch["y"][rank * size:(rank + 1) * size].contiguous()

    def step(self):
        loss = F.cross_entropy(self.ddp(self.x), self.y)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss.detach()

    def block(self, steps):
        """Seconds a step, of the slower rank."""
        dist.barrier()
        begin = time.perf_counter()
        for _ in range(steps):
            self.step()
        seconds = torch.tensor([(time.perf_counter() - begin) / steps], dtype=torch.float64)
        dist.all_reduce(seconds, dist.ReduceOp.MAX)
        return seconds.item()

    def warm_up(self, steps):
        """Losses over all ranks."""
        losses = torch.stack([self.step() for _ in range(steps)])
        dist.all_reduce(losses)
        return (losses / dist.get_world_size()).tolist()


WAYS = [{"module": module, "bucket_mib": bucket, "first_bucket_mib": first}
        for module in ("timm", "plain")
        for bucket, first in ((25, 1), (25, 25), (4, 0.25), (0.25, 0.25), (0.1, 0.05))]


def tune(setup, arguments):
    """Every way in turn, in each of several passes; the least median wins."""
    ways = WAYS if dist.get_world_size() > 1 else [WAYS[0], WAYS[len(WAYS) // 2]]  # without buckets
    trainers = [Trainer(setup, way) for way in ways]
    for trainer in trainers:
        trainer.warm_up(5)
    times = [[] for _ in ways]
    for _ in range(arguments.blocks):
        for index, trainer in enumerate(trainers):
            times[index].append(trainer.block(arguments.steps))
    ranked = sorted(range(len(ways)), key=lambda index: min(times[index]))
    return {"ways": [ways[index] | {"blocks": times[index]} for index in ranked]}


def told_to_go():
    """Whether another line came on rank 0; the other ranks wait for its word."""
    word = torch.tensor([1 if dist.get_rank() == 0 and sys.stdin.readline() else 0])
    dist.broadcast(word, 0)
    return bool(word.item())


def serve(setup, arguments):
    trainer = Trainer(setup, setup["way"])
    say({"losses": trainer.warm_up(arguments.warmup), "versions": versions()})
    while told_to_go():
        trainer.warm_up(RETURN_STEPS)
        say({"blocks": [trainer.block(arguments.steps) for _ in range(arguments.blocks)]})
    # The trainer goes before the process group: a reducer that outlives it hangs at exit.


def say(record):
    if dist.get_rank() == 0:
        print(json.dumps(record), flush=True)


def versions():
    import timm
    return {"torch": torch.__version__, "timm": timm.__version__, "threads": torch.get_num_threads(),
            "backend": dist.get_backend()}


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("setup", help="JSON: model, optim, weights, batch, batch_per_rank, way")
    parser.add_argument("--warmup", type=int, default=20)
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--tune", action="store_true")
    return parser.parse_args()


def main():
    arguments = parse()
    with open(arguments.setup, encoding="utf-8") as file:
        setup = json.load(file)
    torch.set_num_threads(1)
    rank, size = int(os.environ["OMPI_COMM_WORLD_RANK"]), int(os.environ["OMPI_COMM_WORLD_SIZE"])
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group("gloo", init_method=f"file://{arguments.setup}.{os.getppid()}", rank=rank, world_size=size)
    if arguments.tune:
        say(tune(setup, arguments))
    else:
        serve(setup, arguments)
    dist.barrier()
    dist.destroy_process_group()


main()
