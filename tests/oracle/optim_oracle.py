#!/usr/bin/env python3
"""Compares our optimizers with PyTorch's and timm's over 100 steps of recorded gradients, theirs in double precision,
and our schedules, treatments of gradients, averages, layer factors and loss scales with theirs.
Usage: optim_oracle.py PROGRAM. Exit 77: the packages are not there."""

import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import torch
    from safetensors.torch import load_file, save_file
    from timm.models.vision_transformer import VisionTransformer
    from timm.optim import Adan, Lion, param_groups_layer_decay
    from timm.scheduler import CosineLRScheduler
    from timm.utils import ModelEmaV3
    from timm.utils.agc import adaptive_clip_grad
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




def clip_norm(parameters):
    torch.nn.utils.clip_grad_norm_(parameters.values(), 0.7)


def clip_value(parameters):
    torch.nn.utils.clip_grad_value_(parameters.values(), 0.2)


def clip_agc(parameters):
    adaptive_clip_grad([p for name, p in parameters.items() if not name.startswith("head.")], 0.03)


def centralize(parameters):
    """Yong et al. 2020, equation 1; timm and PyTorch have none today."""
    for p in parameters.values():
        if p.ndim > 1:
            p.grad -= p.grad.mean(dim=tuple(range(1, p.ndim)), keepdim=True)


def both(parameters):
    clip_agc(parameters)
    centralize(parameters)


# name: our settings, what the reference does to gradients before its step
TREATMENTS = {
    "clip_norm": ({"optim.clip_norm": 0.7}, clip_norm),
    "clip_value": ({"optim.clip_value": 0.2}, clip_value),
    "clip_agc": ({"optim.clip_agc": 0.03}, clip_agc),
    "centralize": ({"optim.centralize": "true"}, centralize),
    "clip_agc, centralize": ({"optim.clip_agc": 0.03, "optim.centralize": "true"}, both),
}

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


RUN = 60  # steps of a schedule
PEAK = 0.3
SCHED = torch.optim.lr_scheduler
# name: our settings, the reference from the end of the warm-up
SCHEDULES = {
    "constant": ({}, lambda o, n: SCHED.ConstantLR(o, factor=1.0)),
    "step": ({"step_size": 7, "gamma": 0.5}, lambda o, n: SCHED.StepLR(o, 7, 0.5)),
    "multistep": ({"milestones": "5,20,21", "gamma": 0.3}, lambda o, n: SCHED.MultiStepLR(o, [5, 20, 21], 0.3)),
    "cosine": ({"min_lr": 0.01}, lambda o, n: SCHED.CosineAnnealingLR(o, n, 0.01)),
    "cosine_restarts": ({"period": 6, "period_factor": 2, "min_lr": 0.02},
                        lambda o, n: SCHED.CosineAnnealingWarmRestarts(o, 6, 2, 0.02)),
    "polynomial": ({"power": 2.5}, lambda o, n: SCHED.PolynomialLR(o, n, 2.5)),
    "linear": ({"min_lr": 0.03}, lambda o, n: SCHED.LinearLR(o, 1.0, 0.03 / PEAK, n)),
}


def our_rates(folder, settings):
    save_file({"peak": torch.tensor([PEAK], dtype=torch.float64), "total": torch.tensor([RUN])}, folder / "in.safetensors",
              {f"schedule.{key}": str(value) for key, value in settings.items()})
    subprocess.run([PROGRAM, "rates", folder / "in.safetensors", folder / "out.safetensors"], check=True)
    return load_file(folder / "out.safetensors")["rates"].tolist()


def optimizer(lr=PEAK):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)


def torch_rates(make, warmup):
    sgd = optimizer()
    schedule = make(sgd, RUN - warmup)
    if warmup:
        sgd = optimizer()
        rise = SCHED.LinearLR(sgd, 1 / warmup, 1.0, warmup - 1)
        schedule = SCHED.SequentialLR(sgd, [rise, make(sgd, RUN - warmup)], [warmup])
    rates = []
    for _ in range(RUN):
        rates.append(sgd.param_groups[0]["lr"])
        sgd.step()
        schedule.step()
    return rates


def one_cycle_rates(warmup, least):
    sgd = optimizer()
    schedule = SCHED.OneCycleLR(sgd, PEAK, RUN, pct_start=warmup / RUN, div_factor=25,
                                final_div_factor=PEAK / 25 / least, cycle_momentum=False)
    rates = []
    for _ in range(RUN):
        rates.append(sgd.param_groups[0]["lr"])
        sgd.step()
        schedule.step()
    return rates


def timm_rates(**settings):
    """From update number 0 on, as timm's training script asks for them."""
    schedule = CosineLRScheduler(optimizer(), t_in_epochs=False, warmup_prefix=True, **settings)
    return [schedule._get_lr(update)[0] for update in range(RUN)]


def compare_rates(label, found, expected):
    worst = max(abs(a - b) for a, b in zip(found, expected, strict=True)) / PEAK
    if not worst <= 1e-12:
        FAILURES.append(f"schedule {label} differs by {worst:.1e} of the peak")
    print(f"{label:24} {RUN} rates within {worst:.1e} of the peak")


def compare_schedules(folder):
    for name, (settings, make) in SCHEDULES.items():
        for warmup in (0, 8):
            found = our_rates(folder, settings | {"name": name, "warmup_steps": warmup})
            compare_rates(f"{name} warm-up {warmup}", found, torch_rates(make, warmup))
    found = our_rates(folder, {"name": "onecycle", "warmup_steps": 18, "min_lr": 1e-4})
    compare_rates("onecycle", found, one_cycle_rates(18, 1e-4))
    settings = {"name": "cosine_restarts", "period": 6, "period_factor": 2, "restart_factor": 0.5, "min_lr": 0.01}
    expected = timm_rates(t_initial=6, cycle_mul=2.0, cycle_decay=0.5, cycle_limit=9, lr_min=0.01)
    compare_rates("timm's cycles", our_rates(folder, settings), expected)


def compare_treatments(folder):
    values, gradients, rates = draw()
    for label, (settings, treat) in TREATMENTS.items():
        found = ours(folder, settings | {"optim.name": "sgd", "optim.weight_decay": 0.1}, values, gradients, rates * 30)
        expected = reference(lambda g: torch.optim.SGD(g, momentum=0.9), values, gradients, rates * 30, 0.1, treat)
        compare(label, found, expected, values)


class Values(torch.nn.Module):
    """Parameters under their own names, for timm's ModelEma."""

    def __init__(self, parameters):
        super().__init__()
        for name, p in parameters.items():
            self.register_parameter(name.replace(".", "_"), p)


def averaged_reference(values, gradients, rates, **settings):
    parameters = {name: torch.nn.Parameter(value.double()) for name, value in values.items()}
    model = Values(parameters)
    average = ModelEmaV3(model, **settings)
    optimizer = torch.optim.SGD(groups_of(parameters, 0.1), momentum=0.9)
    for step in range(STEPS):
        for name, p in parameters.items():
            p.grad = gradients[name][step].double()
        for group in optimizer.param_groups:
            group["lr"] = rates[step].item()
        optimizer.step()
        average.update(model, step=step + 1)
    return {name: getattr(average.module, name.replace(".", "_")).detach() for name in values}


def compare_averages(folder):
    values, gradients, rates = draw()
    for label, ours_more, theirs in (("ema", {}, {}), ("ema warm-up", {"optim.ema_warmup": "true"}, {"use_warmup": True})):
        settings = {"optim.name": "sgd", "optim.weight_decay": 0.1, "optim.ema_decay": 0.95} | ours_more
        found = ours(folder, settings, values, gradients, rates)
        found = {f"p.{name}": found[f"ema.{name}"] for name in values}
        compare(label, found, averaged_reference(values, gradients, rates, decay=0.95, **theirs), values)


def compare_layer_factors(folder):
    for pool in ("token", "avg"):
        model = VisionTransformer(img_size=28, patch_size=7, depth=3, embed_dim=24, num_heads=2, num_classes=5,
                                  global_pool=pool)
        names = {id(p): name for name, p in model.named_parameters()}
        groups = param_groups_layer_decay(model, 0.05, model.no_weight_decay(), layer_decay=0.7)
        expected = {names[id(p)]: (g["lr_scale"], g["weight_decay"]) for g in groups for p in g["params"]}
        save_file({f"p.{name}": p.detach().contiguous() for name, p in model.named_parameters()},
                  folder / "in.safetensors", {"optim.layer_decay": "0.7", "optim.weight_decay": "0.05"})
        subprocess.run([PROGRAM, "factors", folder / "in.safetensors", folder / "out.safetensors"], check=True)
        found = load_file(folder / "out.safetensors")
        for name, (scale, decay) in expected.items():
            lr, wd = found[name].tolist()
            if abs(lr - scale) > 1e-6 or abs(wd - decay) > 1e-6:
                FAILURES.append(f"layer decay, pool {pool}: {name} has {lr}, {wd}, timm {scale}, {decay}")
        print(f"layer decay, pool {pool}: factors of {len(expected)} parameters")


def compare_scales(folder):
    """A recorded sequence of overflows through GradScaler, on a growth that runs out of fp32 too."""
    for start, growth, backoff, every in ((65536.0, 2.0, 0.5, 3), (2.0**120, 4.0, 0.25, 2), (1000.0, 1.5, 0.7, 1)):
        overflows = torch.rand(200) < 0.15
        scaler = torch.amp.GradScaler("cpu", init_scale=start, growth_factor=growth, backoff_factor=backoff,
                                      growth_interval=every)
        p = torch.nn.Parameter(torch.zeros(4))
        sgd = torch.optim.SGD([p], lr=0.0)
        expected = []
        for overflow in overflows:
            scaler.scale(p.sum())
            p.grad = torch.full((4,), float("inf") if overflow else 1.0)
            scaler.step(sgd)
            scaler.update()
            expected.append(scaler.get_scale())
        save_file({"p.w": torch.zeros(4), "overflows": overflows}, folder / "in.safetensors",
                  {"precision.compute": "fp16", "precision.loss_scale": str(start), "precision.scale_growth": str(growth),
                   "precision.scale_backoff": str(backoff), "precision.scale_growth_steps": str(every)})
        subprocess.run([PROGRAM, "scales", folder / "in.safetensors", folder / "out.safetensors"], check=True)
        found = load_file(folder / "out.safetensors")["scales"].tolist()
        if found != expected:
            FAILURES.append(f"loss scale from {start}: step {next(i for i in range(200) if found[i] != expected[i])}")
        print(f"loss scale from {start:g}: {len(found)} steps, {len(set(found))} scales")


def main():
    torch.manual_seed(7)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        compare_optimizers(Path(name))
        compare_treatments(Path(name))
        compare_averages(Path(name))
        compare_layer_factors(Path(name))
        compare_scales(Path(name))
        compare_schedules(Path(name))
    for failure in FAILURES:
        print("FAILED", failure)
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
