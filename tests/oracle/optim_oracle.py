#!/usr/bin/env python3
"""Compares our optimizers with PyTorch's and timm's over 100 steps of recorded gradients, theirs in double precision.
Usage: optim_oracle.py PROGRAM. Exit 77: the packages are not there."""

import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import torch
    from safetensors.torch import load_file, save_file
    from timm.optim import Adan, Lion
except ImportError as error:
    print(f"skipped: {error}; install tests/oracle/requirements.txt by `launch/setup --oracle`")
    sys.exit(77)

PROGRAM = sys.argv[1]
STEPS = 100
LIMIT = 2e-5  # max |difference| / max |movement|, of each tensor: what 100 roundings of fp32 make
FAILURES = []
SHAPES = {"blocks.0.attn.qkv.weight": (48, 16), "blocks.0.attn.qkv.bias": (48,), "patch_embed.proj.weight": (16, 3, 5, 5),
          "pos_embed": (1, 9, 16), "norm.weight": (16,), "head.weight": (7, 16), "head.bias": (7,)}
NO_DECAY = ("pos_embed",)


# name: our settings, the reference made from groups of parameters
CASES = {
    "adamw": ({}, lambda g: torch.optim.AdamW(g)),
    "adamw betas": ({"optim.beta1": 0.8, "optim.beta2": 0.95, "optim.eps": 1e-6},
                    lambda g: torch.optim.AdamW(g, betas=(0.8, 0.95), eps=1e-6)),
    "adam": ({"optim.name": "adam"}, lambda g: torch.optim.Adam(g)),
    "sgd plain": ({"optim.name": "sgd", "optim.momentum": 0}, lambda g: torch.optim.SGD(g)),
    "sgd momentum": ({"optim.name": "sgd"}, lambda g: torch.optim.SGD(g, momentum=0.9)),
    "sgd dampening": ({"optim.name": "sgd", "optim.dampening": 0.2},
                      lambda g: torch.optim.SGD(g, momentum=0.9, dampening=0.2)),
    "sgd nesterov": ({"optim.name": "sgd", "optim.nesterov": "true"},
                     lambda g: torch.optim.SGD(g, momentum=0.9, nesterov=True)),
    "lion": ({"optim.name": "lion"}, lambda g: Lion(g)),
    "adan": ({"optim.name": "adan"}, lambda g: Adan(g)),
}


def draw():
    """First values, gradients with a drift, so that momenta matter, and a learning rate that moves."""
    values = {name: torch.randn(shape) * 0.2 for name, shape in SHAPES.items()}
    gradients = {}
    for name, shape in SHAPES.items():
        drift = torch.randn(shape) * 0.3
        gradients[name] = torch.randn(STEPS, *shape) * torch.rand(STEPS, *[1] * len(shape)) + drift
    rates = 1e-3 * (1 + torch.arange(STEPS, dtype=torch.float64) % 7) / 4
    return values, gradients, rates


def ours(folder, settings, values, gradients, rates):
    tensors = {f"p.{name}": value for name, value in values.items()}
    tensors |= {f"g.{name}": gradient for name, gradient in gradients.items()} | {"lr": rates}
    save_file(tensors, folder / "in.safetensors", {key: str(value) for key, value in settings.items()})
    subprocess.run([PROGRAM, "train", folder / "in.safetensors", folder / "out.safetensors"], check=True)
    return load_file(folder / "out.safetensors")


def groups_of(parameters, decay):
    """One group a parameter, as our factors are one set a parameter."""
    return [{"params": [p], "weight_decay": 0.0 if p.ndim == 1 or name in NO_DECAY else decay, "lr_scale": 1.0}
            for name, p in parameters.items()]


def reference(make, values, gradients, rates, decay, before_step=None):
    parameters = {name: torch.nn.Parameter(value.double()) for name, value in values.items()}
    optimizer = make(groups_of(parameters, decay))
    for step in range(STEPS):
        for name, p in parameters.items():
            p.grad = gradients[name][step].double()
        if before_step:
            before_step(parameters)
        for group in optimizer.param_groups:
            group["lr"] = rates[step].item() * group["lr_scale"]
        optimizer.step()
    return {name: p.detach() for name, p in parameters.items()}


def compare(label, found, expected, values, limit=LIMIT):
    worst = 0.0
    for name, value in expected.items():
        movement = (value - values[name].double()).abs().max().item()
        error = (found[f"p.{name}"].double() - value).abs().max().item() / movement
        worst = max(worst, error)
        if not error <= limit:
            FAILURES.append(f"{label}: {name} differs by {error:.1e} of its movement")
    print(f"{label:24} {STEPS} steps within {worst:.1e} of the movement")


def compare_optimizers(folder):
    values, gradients, rates = draw()
    for label, (settings, make) in CASES.items():
        found = ours(folder, settings | {"optim.weight_decay": 0.1}, values, gradients, rates)
        compare(label, found, reference(make, values, gradients, rates, 0.1), values)


def main():
    torch.manual_seed(7)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        compare_optimizers(Path(name))
    for failure in FAILURES:
        print("FAILED", failure)
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
