"""The peer of loader.py: DataLoader over h5py, whole batches with sorted indices. Waits for a line on standard
input before each block and sleeps between them; answers each with one JSON object. First line out: what it read."""

import json
import sys
import time

import h5py
import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler


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
    more = {"persistent_workers": True, "prefetch_factor": 4} if workers else {}
    # A batch sampler with a collate that passes on: the batch is made at once, by __getitems__.
    return DataLoader(images, batch_sampler=BatchSampler(RandomSampler(images), batch, False), num_workers=workers,
                      collate_fn=same, **more)


def rate(loader, epochs):
    begin = time.perf_counter()
    images = sum(len(labels) for _ in range(epochs) for _, labels in loader)
    return images / (time.perf_counter() - begin)


def main():
    path, batch, output, epochs, way = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]
    loader = make_loader(path, batch, output, json.loads(way))
    with h5py.File(path, "r") as file:
        images = file["images"]
        step = max(1, 2**26 // int(np.prod(images.shape[1:])))
        total = sum(int(images[i:i + step].sum(dtype=np.uint64)) for i in range(0, len(images), step))
        place = {"offset": images.id.get_offset(), "count": len(images), "sample_bytes": int(np.prod(images.shape[1:]))}
    rate(loader, 1)
    print(json.dumps({"byte_sum": total, "place": place, "versions": {
        "torch": torch.__version__, "h5py": h5py.__version__, "hdf5": h5py.version.hdf5_version,
        "numpy": np.__version__}}), flush=True)
    for _ in sys.stdin:
        print(json.dumps({"rate": rate(loader, epochs)}), flush=True)


if __name__ == "__main__":
    main()
