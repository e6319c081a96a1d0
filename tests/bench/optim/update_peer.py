"""The peer of update.py: PyTorch's fused AdamW with clip_grad_norm_ and a foreach average, on the parameters of timm's
ViT. Waits for a line before each block and answers with the seconds an update."""

import json
import sys
import time

import torch
from timm.models.vision_transformer import VisionTransformer


class Update:
    def __init__(self, setup):
        model = setup["model"]
        torch.manual_seed(3)
        vit = VisionTransformer(img_size=model["image_size"], patch_size=model["patch_size"],
                                in_chans=model["in_channels"], num_classes=model["num_classes"],
                                embed_dim=model["dim"], depth=model["depth"], num_heads=model["heads"])
        self.parameters = list(vit.parameters())
        optim = setup["optim"]
        decay = [p for p in self.parameters if p.ndim > 1]
        rest = [p for p in self.parameters if p.ndim <= 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": decay, "weight_decay": optim["weight_decay"]}, {"params": rest, "weight_decay": 0.0}],
            lr=optim["lr"], betas=(optim["beta1"], optim["beta2"]), eps=optim["eps"], fused=True)
        self.clip = setup["clip_norm"]
        self.decay = setup["ema_decay"]
        self.average = [p.detach().clone() for p in self.parameters] if self.decay else []
        self.noise = [torch.randn_like(p) * 1e-3 for p in self.parameters]
        for p in self.parameters:
            p.grad = torch.zeros_like(p)

    @torch.no_grad()
    def step(self):
        torch._foreach_copy_([p.grad for p in self.parameters], self.noise)
        begin = time.perf_counter()
        if self.clip:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.clip, foreach=True)
        self.optimizer.step()
        if self.average:
            torch._foreach_lerp_(self.average, self.parameters, 1 - self.decay)
        return time.perf_counter() - begin


def main():
    setup = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    update = Update(setup)
    for _ in range(setup["warmup"]):
        update.step()
    say = {"versions": {"torch": torch.__version__}, "parameters": sum(p.numel() for p in update.parameters)}
    print(json.dumps(say), flush=True)
    for _ in sys.stdin:
        blocks = [sum(update.step() for _ in range(setup["steps"])) / setup["steps"] for _ in range(setup["blocks"])]
        print(json.dumps({"blocks": blocks}), flush=True)


if __name__ == "__main__":
    main()
