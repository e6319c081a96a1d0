"""A ViT in PyTorch with the parameters of timm's under the same names and nothing that is off in the benchmarks, and its
optimizer."""

import torch
import torch.nn.functional as F
from torch import nn


class PlainBlock(nn.Module):
    """timm's block without what is off here: no dropout, scale, drop path or identity calls."""

    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = nn.ModuleDict({"qkv": nn.Linear(dim, 3 * dim), "proj": nn.Linear(dim, dim)})
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(dim, 4 * dim), "fc2": nn.Linear(4 * dim, dim)})

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.attn["qkv"](self.norm1(x)).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, d)
        x = x + self.attn["proj"](y)
        return x + self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.norm2(x))))


class PlainVit(nn.Module):
    """The same parameters under the same names as timm's VisionTransformer."""

    def __init__(self, model):
        super().__init__()
        dim, patch, tokens = model["dim"], model["patch_size"], (model["image_size"] // model["patch_size"]) ** 2
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, tokens + 1, dim))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(model["in_channels"], dim, patch, patch)})
        self.blocks = nn.ModuleList(PlainBlock(dim, model["heads"]) for _ in range(model["depth"]))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, model["num_classes"])

    def forward(self, x):
        x = self.patch_embed["proj"](x).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), 1) + self.pos_embed
        for block in self.blocks:
            x = self.run_block(block, x)
        return self.head(self.norm(x[:, 0]))

    def run_block(self, block, x):
        return block(x)


def adamw(module, optim):
    """Fused; biases, norms and the tokens do not decay."""
    decays = [p for n, p in module.named_parameters() if p.dim() > 1 and n not in ("cls_token", "pos_embed")]
    others = [p for n, p in module.named_parameters() if p.dim() <= 1 or n in ("cls_token", "pos_embed")]
    return torch.optim.AdamW(
        [{"params": decays, "weight_decay": optim["weight_decay"]}, {"params": others, "weight_decay": 0.0}],
        lr=optim["lr"], betas=(optim["beta1"], optim["beta2"]), eps=optim["eps"], fused=True)
