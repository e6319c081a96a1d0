"""The same command twice gives bit-identical losses and weights, on one rank and on two, and with any
number of reader threads."""

import hashlib
import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
import program


def outcome(folder, data, name, ranks, threads):
    run = folder / name
    program.must_run(
        "train", f"--data.train={data}", f"--run.dir={run}", *program.FASHION_MODEL, "--run.max_steps=25",
        "--run.epochs=5", "--train.global_batch=24", "--model.drop_path=0.2", "--model.dropout=0.1", "--augment.flip",
        "--augment.shift_pixels=2", f"--data.threads={threads}", "--telemetry.log_every=1", ranks=ranks)
    losses = [line["loss"] for line in program.read_lines(run / "metrics.jsonl")]
    (weights,) = (run / "snapshots").glob("step_*/model.safetensors")
    return losses, hashlib.sha256(weights.read_bytes()).hexdigest()


def main():
    program.need_mpirun()
    with program.scratch() as name:
        folder = program.pathlib.Path(name)
        data = program.fashion(folder / "train.h5", num_samples=250)
        for ranks in (1, 2):
            first = outcome(folder, data, f"first{ranks}", ranks, 1)
            for threads in (1, 3):
                again = outcome(folder, data, f"again{ranks}_{threads}", ranks, threads)
                if again != first:
                    sys.exit(f"{ranks} ranks, {threads} reader threads: a repeat differs")
        # Random parts are drawn by sample, so that the split over ranks changes rounding only.
        one = outcome(folder, data, "one", 1, 1)[0]
        two = outcome(folder, data, "two", 2, 1)[0]
        difference = max(abs(a - b) / abs(b) for a, b in zip(two, one))
        print(f"dropout, stochastic depth and augmentation on 1 and 2 ranks: {difference:.2e}")
        if difference > 1e-5:
            sys.exit("random parts depend on the number of ranks")


main()
