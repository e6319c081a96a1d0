#!/usr/bin/env python3
"""Compares our RandAugment and colour jitter with torchvision's over the Python Imaging Library.
Usage: augment_oracle.py PROGRAM. Exit 77: the packages are not there."""

import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy
    import torch
    from PIL import Image
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms import functional as F
    from torchvision.transforms.autoaugment import RandAugment, _apply_op
except ImportError as error:
    print(f"skipped: {error}; install tests/oracle/requirements.txt by `launch/setup --oracle`")
    sys.exit(77)

PROGRAM = sys.argv[1]
FAILURES = []
KINDS = dict(brightness=2, contrast=3, saturation=4, hue=6)  # PixelOpKind


def check(name, holds, detail=""):
    print(f"{'ok' if holds else 'FAILED'}: {name} {detail}")
    if not holds:
        FAILURES.append(name)


def image_of(height, width):
    """Smooth in parts and noisy in others, with a range that autocontrast can widen."""
    generator = numpy.random.default_rng(1)
    rows, columns = numpy.mgrid[0:height, 0:width]
    smooth = numpy.stack([rows * 180 / height, columns * 160 / width, (rows + columns) % 97], axis=2)
    noise = generator.integers(0, 60, smooth.shape)
    return (smooth + noise).astype(numpy.uint8) + 10


def run(folder, image, *arguments):
    height, width, channels = image.shape
    source, result = Path(folder) / "in", Path(folder) / "out"
    source.write_bytes(image.tobytes())
    subprocess.run([PROGRAM, source, str(height), str(width), str(channels), result,
                    *map(str, arguments)], check=True)
    return numpy.frombuffer(result.read_bytes(), numpy.uint8).reshape(-1, height, width, channels)


def torchvision_results(image, magnitude):
    """Every outcome of one operation: name and sign to bytes."""
    height, width, _ = image.shape
    picture = Image.fromarray(image)
    results = {}
    space = RandAugment()._augmentation_space(31, (height, width))
    for name, (magnitudes, signed) in space.items():
        strength = float(magnitudes[magnitude]) if magnitudes.ndim > 0 else 0.0
        for sign in (1, -1) if signed else (1,):
            result = _apply_op(picture, name, sign * strength, InterpolationMode.NEAREST, None)
            results[name, sign] = numpy.asarray(result).tobytes()
    return results


def compare_randaugment(folder, height, width, magnitude):
    image = image_of(height, width)
    ours = {result.tobytes() for result in run(folder, image, "randaugment", magnitude, 600)}
    theirs = torchvision_results(image, magnitude)
    missing = [f"{name}{'+-'[sign < 0]}" for (name, sign), result in theirs.items()
               if result not in ours]
    check(f"randaugment {height}x{width} magnitude {magnitude}: torchvision's are ours", not missing,
          " ".join(missing))
    strange = len(ours - set(theirs.values()))
    check(f"randaugment {height}x{width} magnitude {magnitude}: ours are torchvision's", strange == 0,
          f"{strange} others")


def compare_jitter(folder):
    image = image_of(37, 50)
    picture = Image.fromarray(image)
    for name in ("brightness", "contrast", "saturation"):
        for factor in (0.0, 0.37, 0.9, 1.0, 1.61, 2.5):
            theirs = numpy.asarray(getattr(F, f"adjust_{name}")(picture, factor))
            ours = run(folder, image, "op", KINDS[name], factor)[0]
            check(f"{name} {factor}", (ours == theirs).all())
    tensor = torch.from_numpy(image.copy()).permute(2, 0, 1)
    for turn in (-0.5, -0.2, 0.05, 0.31, 0.5):
        theirs = F.adjust_hue(tensor, turn).permute(1, 2, 0).numpy().astype(int)
        ours = run(folder, image, "op", KINDS["hue"], turn)[0].astype(int)
        # They cut to bytes where we round.
        check(f"hue {turn}", abs(ours - theirs).max() <= 1, f"max {abs(ours - theirs).max()}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        for height, width, magnitude in ((37, 50, 9), (64, 64, 30), (224, 224, 14), (33, 20, 1)):
            compare_randaugment(folder, height, width, magnitude)
        compare_jitter(folder)
    print(f"{len(FAILURES)} failures")
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
