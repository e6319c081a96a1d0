"""bf16 and fp16 (with loss scaling) train like fp32 does, and fp16's scale behaves: it starts where it
is told, halves on overflow, and the skipped step changes nothing. Layers named in precision.fp32_modules
leave half precision."""

import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
import program


def train(folder, data, name, *settings, ranks=1):
    run = folder / name
    program.must_run("train", f"--data.train={data}", f"--run.dir={run}", *program.FASHION_MODEL, "--run.max_steps=60",
                     "--run.epochs=20", "--train.global_batch=24", "--optim.lr=1e-3", "--telemetry.log_every=1",
                     *settings, ranks=ranks, timeout_s=300)
    return program.read_lines(run / "metrics.jsonl")


def main():
    with program.scratch() as name:
        folder = program.pathlib.Path(name)
        data = program.fashion(folder / "train.h5", num_samples=240)
        full = train(folder, data, "fp32")
        for compute in ("bf16", "fp16"):
            lines = train(folder, data, compute, f"--precision.compute={compute}")
            assert abs(lines[0]["loss"] - full[0]["loss"]) < 0.05 * full[0]["loss"], compute
            tail = sum(line["loss"] for line in lines[-10:]) / 10
            wanted = sum(line["loss"] for line in full[-10:]) / 10
            print(f"{compute}: mean of the last ten losses {tail:.4f}, fp32 {wanted:.4f}")
            assert abs(tail - wanted) < 0.25, f"{compute} does not train like fp32"
        # With every layer an island, half precision is left with nothing.
        island = train(folder, data, "island", "--precision.compute=fp16", "--precision.fp32_modules=*")
        worst = max(abs(a["loss"] - b["loss"]) / b["loss"] for a, b in zip(island, full, strict=True))
        print(f"fp16 with every layer in fp32: largest relative difference {worst:.1e}")
        assert worst < 2e-6, "precision.fp32_modules does not keep layers in fp32"
        # A scale that overflows fp16 at once must come down by halves, all ranks alike.
        high = train(folder, data, "overflow", "--precision.compute=fp16", "--precision.loss_scale=1e9", ranks=2)
        scales = [line["loss_scale"] for line in high]
        assert scales[0] >= 5e8, scales[:3]
        assert scales[-1] < 1e7, f"the scale stays at {scales[-1]}"
        assert all(b in (a, a / 2) for a, b in zip(scales, scales[1:])), "the scale moved other than by halves"
        assert high[-1]["loss"] < high[0]["loss"], "it never trained after the scale had settled"


main()
