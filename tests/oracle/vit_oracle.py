#!/usr/bin/env python3
"""Compares our ViT, key dialects, position resize and safetensors files with timm, torchvision and
the safetensors package. Usage: vit_oracle.py PROGRAM. Exit 77: the packages are not there."""

import copy
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import torch
    import torch.nn.functional as F
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file
    from timm.layers import resample_abs_pos_embed
    from timm.models.vision_transformer import VisionTransformer
    from torchvision.models.vision_transformer import VisionTransformer as TorchvisionVit
except ImportError as error:
    print(f"skipped: {error}; install tests/oracle/requirements.txt by `launch/setup --oracle`")
    sys.exit(77)

LIMIT = 1e-5  # max |difference| / max |reference|, of each tensor
PROGRAM = sys.argv[1]
FAILURES = []

# Our [model] settings; what is not named keeps these.
BASE = dict(image_size=28, patch_size=4, in_channels=1, num_classes=10, dim=64, depth=2, heads=4,
            mlp_ratio=4.0, pool="token", layer_scale=0.0)
CONFIGURATIONS = {
    "token": {},
    "avg": dict(pool="avg"),
    "colour": dict(in_channels=3, image_size=32),
    "layer_scale": dict(layer_scale=0.1, pool="avg", in_channels=3),
    "odd_sizes": dict(image_size=35, patch_size=7, dim=60, heads=3, mlp_ratio=2.5, num_classes=3),
    "one_patch": dict(image_size=5, patch_size=5, dim=24, heads=1, depth=1, in_channels=3),
    "long": dict(image_size=96, patch_size=6, dim=48, heads=6, in_channels=3),
}


def check(name, ours, reference):
    """Books one comparison; reference may be of double precision."""
    reference = reference.detach().double()
    scale = reference.abs().max().item() or 1.0
    error = (ours.double() - reference).abs().max().item() / scale
    if ours.shape != reference.shape or not error <= LIMIT:
        FAILURES.append(f"{name}: {error:.2e}")
    return error


def run(*arguments):
    subprocess.run([PROGRAM, *map(str, arguments)], check=True)


def make_timm(settings):
    model = VisionTransformer(
        img_size=settings["image_size"], patch_size=settings["patch_size"],
        in_chans=settings["in_channels"], num_classes=settings["num_classes"],
        embed_dim=settings["dim"], depth=settings["depth"], num_heads=settings["heads"],
        mlp_ratio=settings["mlp_ratio"], global_pool=settings["pool"],
        init_values=settings["layer_scale"] or None)
    return randomise(model)


def randomise(model):
    """Far from first values, so that biases, norms and scales matter."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.15)
            if "norm" in name and name.endswith("weight") or ".ln" in name:
                parameter.add_(1.0)
    return model.eval()


def make_inputs(folder, settings):
    images = torch.randn(8, settings["in_channels"], settings["image_size"], settings["image_size"])
    labels = torch.randint(0, settings["num_classes"], (8,))
    path = folder / "inputs.safetensors"
    save_file({"images": images, "labels": labels}, path,
              {key: str(value) for key, value in settings.items()})
    return images, labels, path


def logits_of(folder, state, inputs):
    save_file({key: value.contiguous() for key, value in state.items()}, folder / "w.safetensors")
    run("forward", folder / "w.safetensors", inputs, folder / "o.safetensors",
        folder / "s.safetensors")
    return load_file(folder / "o.safetensors")


def compare_timm(folder, name, settings):
    model = make_timm(settings)
    images, labels, inputs = make_inputs(folder, settings)
    ours = logits_of(folder, model.state_dict(), inputs)
    precise = copy.deepcopy(model).double()
    reference = precise(images.double())
    F.cross_entropy(reference, labels).backward()
    worst = check(f"{name} logits", ours["logits"], reference)
    gradients = {key: value.grad for key, value in precise.named_parameters()}
    if {f"grad.{key}" for key in gradients} != set(ours) - {"logits"}:
        FAILURES.append(f"{name}: parameter names differ")
    for key, gradient in gradients.items():
        worst = max(worst, check(f"{name} {key}", ours[f"grad.{key}"], gradient))
    check(f"{name} timm in fp32", model(images), reference)
    saved = load_file(folder / "s.safetensors")
    for key, value in model.state_dict().items():
        if not torch.equal(saved[key], value):
            FAILURES.append(f"{name}: {key} changed on the way through our file")
    model.load_state_dict(saved)
    print(f"timm {name:12} logits and {len(gradients)} gradients within {worst:.1e}")


def compare_torchvision(folder):
    settings = BASE | dict(image_size=32, patch_size=8, in_channels=3, heads=2, num_classes=7)
    model = randomise(TorchvisionVit(32, 8, 2, 2, 64, 256, num_classes=7))
    images, _, inputs = make_inputs(folder, settings)
    ours = logits_of(folder, model.state_dict(), inputs)["logits"]
    error = check("torchvision keys", ours, model.double()(images.double()))
    print(f"torchvision keys within {error:.1e}")


def hugging_face_state(state, width):
    """timm's names to those of transformers' ViTForImageClassification, by its converter's table."""
    table = {
        "cls_token": "vit.embeddings.cls_token",
        "pos_embed": "vit.embeddings.position_embeddings",
        "patch_embed.proj.": "vit.embeddings.patch_embeddings.projection.",
        "norm1.": "layernorm_before.", "norm2.": "layernorm_after.",
        "attn.proj.": "attention.output.dense.",
        "mlp.fc1.": "intermediate.dense.", "mlp.fc2.": "output.dense.",
        "norm.": "vit.layernorm.", "head.": "classifier.",
    }
    converted = {}
    for key, value in state.items():
        prefix, rest = "", key
        if key.startswith("blocks."):
            _, number, rest = key.split(".", 2)
            prefix = f"vit.encoder.layer.{number}."
        if rest.startswith("attn.qkv."):
            kind = rest.rsplit(".", 1)[1]
            for index, part in enumerate(("query", "key", "value")):
                rows = value[index * width:(index + 1) * width]
                converted[f"{prefix}attention.attention.{part}.{kind}"] = rows.clone()
            continue
        old = next(old for old in table if rest.startswith(old))
        converted[prefix + table[old] + rest[len(old):]] = value
    return converted


def compare_hugging_face(folder):
    model = make_timm(BASE)
    images, _, inputs = make_inputs(folder, BASE)
    state = hugging_face_state(model.state_dict(), BASE["dim"])
    error = check("Hugging Face keys", logits_of(folder, state, inputs)["logits"],
                  model.double()(images.double()))
    print(f"Hugging Face keys within {error:.1e}")


def compare_positions(folder):
    worst = 0.0
    for grid, new_grid, prefix in ((7, 14, 1), (14, 7, 1), (14, 24, 1), (5, 8, 2), (6, 4, 0)):
        positions = torch.randn(1, prefix + grid * grid, 32)
        save_file({"positions": positions}, folder / "p.safetensors",
                  {"grid": str(new_grid), "prefix": str(prefix)})
        run("positions", folder / "p.safetensors", folder / "q.safetensors")
        reference = resample_abs_pos_embed(positions, [new_grid, new_grid],
                                           num_prefix_tokens=prefix)
        worst = max(worst, check(f"positions {grid} to {new_grid}",
                                 load_file(folder / "q.safetensors")["positions"], reference))
    print(f"position resize within {worst:.1e}")


def compare_resized_model(folder):
    small, large = make_timm(BASE), BASE | dict(image_size=56)
    images, _, inputs = make_inputs(folder, large)
    ours = logits_of(folder, small.state_dict(), inputs)["logits"]
    small.set_input_size((56, 56))
    error = check("model at twice the size", ours, small.double()(images.double()))
    print(f"weights of another image size within {error:.1e}")


def compare_files(folder):
    tensors = {"scalar": torch.tensor(3.5), "empty": torch.zeros(0, 4), "bool": torch.ones(3) > 0,
               "bytes": torch.arange(5, dtype=torch.uint8), "long": torch.arange(4),
               "half": torch.randn(3, 3).half(), "bf16": torch.randn(7).bfloat16(),
               "double": torch.randn(2, 2).double(), "ключ \"x\"\n": torch.randn(2)}
    metadata = {"format": "pt", "text": "a \"quoted\" ü\n"}
    save_file(tensors, folder / "in.safetensors", metadata)
    run("copy", folder / "in.safetensors", folder / "out.safetensors")
    back = load_file(folder / "out.safetensors")
    with safe_open(folder / "out.safetensors", "pt") as file:
        if file.metadata() != metadata:
            FAILURES.append("metadata changed on the way through our file")
    if set(back) != set(tensors):
        FAILURES.append("keys changed on the way through our file")
    for key, value in tensors.items():
        if back[key].dtype != value.dtype or not torch.equal(back[key], value):
            FAILURES.append(f"tensor {key!r} changed on the way through our file")
    print(f"safetensors: {len(tensors)} tensors there and back")


def main():
    torch.manual_seed(7)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for label, changes in CONFIGURATIONS.items():
            compare_timm(folder, label, BASE | changes)
        compare_torchvision(folder)
        compare_hugging_face(folder)
        compare_positions(folder)
        compare_resized_model(folder)
        compare_files(folder)
    for failure in FAILURES:
        print("FAILED", failure)
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
