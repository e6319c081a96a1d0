"""Both sides of loader.py as functions that measure one block: our program, the peers in Python, the peers in C++."""

import json
import os
import statistics
import subprocess
import sys
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from sleeping_peer import SleepingPeer

TUNING_PASSES = 3
BLOCKS = 3  # of a launch of a program; a figure is their median


def run(*command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=600)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {result.returncode}:\n{result.stderr[-3000:]}")
    return result.stdout.strip().splitlines()[-1] if result.stdout.strip() else ""


class Ours:
    def __init__(self, program, path, batch, output, threads, *more, steps=0):
        self.command = [program, "bench", "input", f"--data.train={path}", f"--batch={batch}", f"--output={output}",
                        f"--data.threads={threads}", f"--blocks={BLOCKS}", "--json", *more]
        if steps:
            self.command.append(f"--steps={steps}")
        self.records = []

    def record(self):
        record = json.loads(run(*self.command))
        self.records.append(record)
        return record

    def block(self):
        return statistics.median(self.record()["blocks"])

    def first_batch_s(self):
        return statistics.median(self.record()["first_batch_ms"] / 1e3 for _ in range(BLOCKS))

    def cpu_us(self):
        return statistics.median(record["cpu_us_per_image"] for record in self.records)


class Python(SleepingPeer):
    """A process of h5py_peer.py."""

    def __init__(self, path, batch, output, way):
        # glibc hands batches of over 32 MiB back to the system after each use, unless it is told to keep them.
        kept = {f"MALLOC_{name}_THRESHOLD_": str(1 << 32) for name in ("MMAP", "TRIM")}
        super().__init__([sys.executable, "-s", HERE / "h5py_peer.py", path, batch, output, json.dumps(way)],
                         os.environ | (kept if way.get("malloc") == "kept" else {}))

    def one(self):
        return self.ask()["rate"]

    def block(self):
        return statistics.median(self.one() for _ in range(BLOCKS))


def tune(path, batch, output, ways):
    """The peer's ways in turn, several passes; best first."""
    rates = [[] for _ in ways]
    peers = [Python(path, batch, output, way) for way in ways]
    for _ in range(TUNING_PASSES):
        for index, peer in enumerate(peers):
            rates[index].append(peer.one())
    for peer in peers:
        peer.close()
    ranked = sorted(range(len(ways)), key=lambda index: -max(rates[index]))
    return [ways[index] | {"images_per_s": rates[index]} for index in ranked]


def best(path, batch, output, ways):
    """The best of the ways, started, and how all of them did."""
    ranked = tune(path, batch, output, ways)
    way = {key: value for key, value in ranked[0].items() if key != "images_per_s"}
    print(f"{path.name} {output}: the best of {len(ways)} {way['kind']} ways is {way}: "
          f"{max(ranked[0]['images_per_s']):.0f} images/s", flush=True)
    peer = Python(path, batch, output, way)
    peer.tuning = ranked
    return peer


def tuned_ways():
    return [way for read in ("select", "direct") for malloc in ("default", "kept")
            for way in of_kind("tuned", read=read, malloc=malloc)]


def of_kind(kind, workers=((0, 1), (0, 2), (1, 1), (2, 1)), **more):
    return [{"kind": kind, "workers": count, "threads": threads} | more for count, threads in workers]
