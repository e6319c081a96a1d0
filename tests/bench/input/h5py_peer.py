"""The peers of loader.py that are written in Python: DataLoader over h5py. Waits for a line on standard input before
each block and sleeps between them; answers each with one JSON object. First line out: about itself.
Usage: h5py_peer.py FILE BATCH {u8|f32} WAY, a JSON object:
  kind     tuned: whole batches with sorted indices; ordinary: one __getitem__ a sample, as most people write it;
           window: whole chunks in a shuffled order, shuffled again inside windows of 16 chunks
  read     tuned: select (one h5py selection a batch) or direct (read_direct a sample)
  workers  of the DataLoader, threads of torch; cache_mib of HDF5's chunk cache
  malloc   tuned: default or kept (the caller's doing: memory of large batches is used again)"""

import json
import sys
import time

import h5py
import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, IterableDataset, RandomSampler, get_worker_info


PREFETCH = 4
BLOCK_S = 0.5  # at least
WINDOW_CHUNKS = 16


class File:
    """Opens its own handle in each process: handles opened before a fork return wrong data."""

    def __init__(self, path, cache_mib):
        self.path, self.cache_mib, self.images = path, cache_mib, None
        with h5py.File(path, "r") as file:
            self.shape, self.chunks = file["images"].shape, file["images"].chunks
            mean, std = (torch.tensor(file.attrs.get(key, [0.5] * self.shape[-1]), dtype=torch.float32)
                         for key in ("image_mean", "image_std"))
        self.mean, self.std = mean, std
        self.scale = (1.0 / (255.0 * std)).view(1, -1, 1, 1)
        self.shift = (-mean / std).view(1, -1, 1, 1)

    def open(self):
        if self.images is None:
            slots = 10_007 if self.cache_mib > 1 else 521
            file = h5py.File(self.path, "r", rdcc_nbytes=self.cache_mib << 20, rdcc_nslots=slots)
            self.images, self.labels = file["images"], file["label"][:].astype(np.int64)

    def finished(self, pixels, labels, output):
        pixels, labels = torch.from_numpy(pixels), torch.from_numpy(labels)
        if output == "u8":
            return pixels, labels
        moved = pixels.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
        return moved.mul_(self.scale).add_(self.shift), labels


class Tuned(Dataset):
    def __init__(self, file, output, read):
        self.file, self.output, self.read = file, output, read

    def __len__(self):
        return self.file.shape[0]

    def __getitems__(self, indices):
        self.file.open()
        indices = np.sort(np.asarray(indices))
        if self.read == "select":
            pixels = self.file.images[indices]
        else:
            pixels = np.empty((len(indices), *self.file.shape[1:]), np.uint8)
            for row, index in enumerate(indices):
                self.file.images.read_direct(pixels, np.s_[index], np.s_[row])
        return self.file.finished(pixels, self.file.labels[indices], self.output)


class Ordinary(Dataset):
    def __init__(self, file, output):
        assert output == "f32"
        self.file = file

    def __len__(self):
        return self.file.shape[0]

    def __getitem__(self, index):
        self.file.open()
        image = torch.from_numpy(self.file.images[index]).permute(2, 0, 1).contiguous().to(torch.float32).div(255)
        image = image.sub(self.file.mean.view(-1, 1, 1)).div(self.file.std.view(-1, 1, 1))
        return image, int(self.file.labels[index])


class Windows(IterableDataset):
    def __init__(self, file, output, batch):
        self.file, self.output, self.batch, self.epoch = file, output, batch, 0

    def __iter__(self):
        self.file.open()
        self.epoch += 1
        worker = get_worker_info()
        step = self.file.chunks[0]
        chunks = np.random.default_rng(self.epoch).permutation(-(-self.file.shape[0] // step))
        if worker:
            chunks = chunks[worker.id::worker.num_workers]
        random = np.random.default_rng([self.epoch, worker.id if worker else 0])
        for begin in range(0, len(chunks), WINDOW_CHUNKS):
            places = [slice(c * step, min((c + 1) * step, self.file.shape[0]))
                      for c in chunks[begin:begin + WINDOW_CHUNKS]]
            pixels = np.concatenate([self.file.images[place] for place in places])
            labels = np.concatenate([self.file.labels[place] for place in places])
            order = random.permutation(len(pixels))
            for first in range(0, len(order), self.batch):
                chosen = order[first:first + self.batch]
                yield self.file.finished(pixels[chosen], labels[chosen], self.output)


def same(batch):
    return batch


def make_loader(path, batch, output, way):
    torch.set_num_threads(way["threads"])
    file = File(path, way.get("cache_mib", 1))
    workers = way["workers"]
    more = {"num_workers": workers}
    if workers:
        more |= {"persistent_workers": True, "prefetch_factor": PREFETCH}
    if way["kind"] == "ordinary":
        return DataLoader(Ordinary(file, output), batch_size=batch, shuffle=True, **more)
    if way["kind"] == "window":
        return DataLoader(Windows(file, output, batch), batch_size=None, collate_fn=same, **more)
    images = Tuned(file, output, way["read"])
    # A batch sampler with a collate that passes on: the batch is made at once, by __getitems__.
    return DataLoader(images, batch_sampler=BatchSampler(RandomSampler(images), batch, False), collate_fn=same, **more)


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
        place = {"count": len(images), "sample_bytes": int(np.prod(images.shape[1:]))}
        if images.chunks is None:
            place["offset"] = images.id.get_offset()
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
