"""The peer of loader.py: DataLoader over h5py, whole batches with sorted indices. Waits for a line on standard
input before each block and sleeps between them; answers each with one JSON object. First line out: about itself.
Usage: h5py_peer.py FILE BATCH {u8|f32} WAY."""

import json
import sys
import time

import h5py
import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler


PREFETCH = 4
BLOCK_S = 0.5  # at least


class Images(Dataset):
    """Opens its own handle in each process: handles opened before a fork return wrong data."""

    def __init__(self, path, output, read):
        self.path, self.output, self.read, self.images = path, output, read, None
        with h5py.File(path, "r") as file:
            self.shape = file["images"].shape
            mean, std = (torch.tensor(file.attrs[key], dtype=torch.float32) for key in ("image_mean", "image_std"))
        self.scale = (1.0 / (255.0 * std)).view(1, -1, 1, 1)
        self.shift = (-mean / std).view(1, -1, 1, 1)

    def __len__(self):
        return self.shape[0]

    def __getitems__(self, indices):
        if self.images is None:
            file = h5py.File(self.path, "r")
            self.images, self.labels = file["images"], file["label"][:]
        indices = np.sort(np.asarray(indices))
        if self.read == "select":
            pixels = self.images[indices]
        else:
            pixels = np.empty((len(indices), *self.shape[1:]), np.uint8)
            for row, index in enumerate(indices):
                self.images.read_direct(pixels, np.s_[index], np.s_[row])
        pixels, labels = torch.from_numpy(pixels), torch.from_numpy(self.labels[indices])
        if self.output == "u8":
            return pixels, labels
        moved = pixels.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
        return moved.mul_(self.scale).add_(self.shift), labels


def same(batch):
    return batch


def make_loader(path, batch, output, way):
    torch.set_num_threads(way["threads"])
    images = Images(path, output, way["read"])
    workers = way["workers"]
    more = {"persistent_workers": True, "prefetch_factor": PREFETCH} if workers else {}
    # A batch sampler with a collate that passes on: the batch is made at once, by __getitems__.
    return DataLoader(images, batch_sampler=BatchSampler(RandomSampler(images), batch, False), num_workers=workers,
                      collate_fn=same, **more)


def endless(loader):
    while True:
        yield from loader


def rate(batches, prepared):
    """Images a second. What workers prepared while nobody asked is taken first, outside the time."""
    for _ in range(prepared + 1):
        next(batches)
    images, begin, seconds = 0, time.perf_counter(), 0.0
    while seconds < BLOCK_S:
        images += len(next(batches)[1])
        seconds = time.perf_counter() - begin
    return images / seconds


def about(path):
    with h5py.File(path, "r") as file:
        images = file["images"]
        place = {"offset": images.id.get_offset(), "count": len(images), "sample_bytes": int(np.prod(images.shape[1:]))}
    return {"place": place, "versions": {"torch": torch.__version__, "h5py": h5py.__version__,
                                         "hdf5": h5py.version.hdf5_version, "numpy": np.__version__}}


def main():
    path, batch, output, way = sys.argv[1], int(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4])
    batches = endless(make_loader(path, batch, output, way))
    next(batches)
    print(json.dumps(about(path)), flush=True)
    for _ in sys.stdin:
        print(json.dumps({"rate": rate(batches, 2 * way["workers"] * PREFETCH)}), flush=True)


if __name__ == "__main__":
    main()
