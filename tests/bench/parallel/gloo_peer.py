"""A peer of allreduce.py: gloo's all-reduce through torch.distributed, one process a rank under mpirun. Waits for a
line before each block and answers with the seconds a call of the slowest rank."""

import json
import os
import sys
import time

import torch
import torch.distributed as dist


def block(values, calls):
    dist.barrier()
    begin = time.perf_counter()
    for _ in range(calls):
        dist.all_reduce(values)
    seconds = torch.tensor([(time.perf_counter() - begin) / calls], dtype=torch.float64)
    dist.all_reduce(seconds, op=dist.ReduceOp.MAX)
    return seconds.item()


def main():
    size, calls, blocks = (int(word) for word in sys.argv[1:4])
    rank, world = int(os.environ["OMPI_COMM_WORLD_RANK"]), int(os.environ["OMPI_COMM_WORLD_SIZE"])
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{os.environ['PEER_PORT']}", rank=rank,
                            world_size=world)
    torch.set_num_threads(1)
    values = torch.zeros(size // 4)
    block(values, max(1, calls // 4))
    times = [block(values, calls) for _ in range(blocks)]
    if rank == 0:
        print(json.dumps({"blocks": times, "versions": {"torch": torch.__version__}}))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
