"""`lockstep bench input` against a tuned DataLoader over h5py and against a bare loop of pread: same file, warm
page cache. A ratio above 1 means that ours delivers more images a second. Exit 77: the packages are not there;
1: what was read differs."""

import argparse
import json
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
    import h5py
    import torch  # noqa: F401
except ImportError as error:
    print(f"skipped: {error}; install tests/oracle/requirements.txt by `launch/setup --oracle`")
    sys.exit(77)

FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
# name: batch (divides the number of images, so that nothing is padded), epochs a block
FILES = {"fashion": (250, 4), "synthetic224": (64, 2)}
OUTPUTS = ("u8", "f32")
BLOCKS = 5  # of a launch of ours and of pread; a figure is their median
TUNING_PASSES = 3
WAYS = [{"read": read, "workers": workers, "threads": threads}
        for read in ("select", "direct") for workers, threads in ((0, 1), (0, 2), (1, 1), (2, 1))]


def run(*command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {result.returncode}:\n{result.stderr[-3000:]}")
    return result.stdout.strip().splitlines()[-1] if result.stdout.strip() else ""


def make_file(program, name, folder):
    path = folder / f"{name}.h5"
    if name == "fashion":
        images, labels = (FASHION / f"train-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1"))
        run(program, "prepare", "idx", images, labels, "--out", path)
    else:
        run(program, "prepare", "synthetic", "--out", path, "--num-samples", 1536, "--image-size", 224, "--classes",
            10, "--channels", 3, "--seed", 1)
    return path


class Peer(SleepingPeer):
    def __init__(self, path, batch, output, way):
        super().__init__([sys.executable, "-s", HERE / "h5py_peer.py", path, batch, output, json.dumps(way)])

    def block(self):
        return self.ask()["rate"]


def tune(path, batch, output):
    """The peer's ways in turn, several passes; best first."""
    rates = [[] for _ in WAYS]
    peers = [Peer(path, batch, output, way) for way in WAYS]
    for _ in range(TUNING_PASSES):
        for index, peer in enumerate(peers):
            rates[index].append(peer.block())
    for peer in peers:
        peer.close()
    ranked = sorted(range(len(WAYS)), key=lambda index: -max(rates[index]))
    return [WAYS[index] | {"images_per_s": rates[index]} for index in ranked]


class Ours:
    def __init__(self, program, path, batch, output, epochs, num_samples):
        steps = epochs * -(-num_samples // batch)
        self.command = [program, "bench", "input", f"--data.train={path}", f"--batch={batch}", f"--output={output}",
                        f"--blocks={BLOCKS}", f"--steps={steps}", "--json"]

    def record(self, *more):
        return json.loads(run(*self.command, *more))

    def block(self):
        return statistics.median(self.record()["blocks"])


def byte_sum(path, labels):
    """Through h5py; also leaves the labels as plain numbers for the loop."""
    with h5py.File(path, "r") as file:
        file["label"][:].astype("<i8").tofile(labels)
        images = file["images"]
        return sum(int(images[i:i + 512].sum(dtype="u8")) for i in range(0, len(images), 512))


def check_bytes(name, ours, floor, through_h5py):
    """The same images and labels reach all three."""
    if floor["byte_sum"] != through_h5py or ours["checksum"] != floor["checksum"]:
        sys.exit(f"{name}: what was read differs: sums {floor['byte_sum']} and {through_h5py}, checksums "
                 f"{ours['checksum']} and {floor['checksum']}")
    print(f"{name}: the same images and labels on all sides")


def measure_row(name, output, program, floor_program, path, rounds):
    batch, epochs = FILES[name]
    ways = tune(path, batch, output)
    way = {key: ways[0][key] for key in ("read", "workers", "threads")}
    print(f"{name} {output}: the peer's best of {len(ways)} ways is {way}")
    peer = Peer(path, batch, output, way)
    place = peer.first["place"]

    labels = path.with_suffix(".labels")
    total = byte_sum(path, labels)

    def pread():
        return json.loads(run(floor_program, path, labels, place["offset"], place["sample_bytes"], place["count"],
                              batch, BLOCKS, epochs))

    ours = Ours(program, path, batch, output, epochs, place["count"])
    first = ours.record()
    check_bytes(name, first, pread(), total)
    versions = {"ours": first["versions"], "peer": peer.first["versions"]}
    rows = []
    others = {"h5py": lambda: statistics.median(peer.block() for _ in range(BLOCKS))}
    if output == "u8":
        others["pread"] = lambda: statistics.median(pread()["blocks"])
    for other, block in others.items():
        blocks = interleave.measure(ours.block, block, rounds)
        result = interleave.summary(blocks)
        print(interleave.sentence(f"{name} {output} against {other}", result, "images/s"), flush=True)
        rows.append({"row": f"{name} {output} against {other}", "unit": "images/s", "result": result,
                     "blocks": blocks, "batch": batch, "epochs_per_block": epochs, "versions": versions,
                     "peer_way": way if other == "h5py" else "one thread", "peer_tuning": ways})
    peer.close()
    return rows


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the built lockstep")
    parser.add_argument("floor", help="the built bench_pread_loop")
    parser.add_argument("--files", default=",".join(FILES))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", help="write the record as JSON")
    return parser.parse_args()


def main():
    arguments = parse()
    rows = []
    with tempfile.TemporaryDirectory(prefix="lockstep_bench_") as folder:
        for name in arguments.files.split(","):
            if name == "fashion" and not FASHION.is_dir():
                print("skipped fashion: install dataset-fashion-mnist")
                continue
            path = make_file(arguments.program, name, pathlib.Path(folder))
            for output in OUTPUTS:
                rows += measure_row(name, output, arguments.program, arguments.floor, path, arguments.rounds)
            path.unlink()
    interleave.save(arguments.out, {"bench": "input", "machine": interleave.machine(), "rows": rows})
    sys.exit(77 if not rows or any(row["result"]["void"] for row in rows) else 0)


if __name__ == "__main__":
    main()
