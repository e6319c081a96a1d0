"""Ratios of two programs from interleaved blocks: the rules of docs/benchmarks.md in one place. Knows
nothing of what is measured; a block is a function that returns one figure."""

import json
import os
import platform
import random
import statistics

LEAST_ROUNDS = 7
CONTROL = (0.97, 1.03)  # outside, the machine was too noisy to say
DRAWS = 10_000


def measure(ours, peer, rounds, say=print):
    """Rounds of ours-peer-peer-ours and peer-ours-ours-peer in turn: each side twice a round, so that a
    drift hits both and each side is its own control. Returns {"ours": [[a, b]...], "peer": ..., "load": ...}."""
    assert rounds >= LEAST_ROUNDS, f"{rounds} rounds are too few"
    blocks = {"ours": [], "peer": [], "load_average": []}
    for number in range(rounds):
        order = ("ours", "peer", "peer", "ours") if number % 2 == 0 else ("peer", "ours", "ours", "peer")
        figures = {"ours": [], "peer": []}
        blocks["load_average"].append(os.getloadavg()[0])
        for side in order:
            figures[side].append(ours() if side == "ours" else peer())
        for side in figures:
            blocks[side].append(figures[side])
        say(f"round {number + 1}/{rounds}: ours {shown(figures['ours'])}, peer {shown(figures['peer'])}, "
            f"load {blocks['load_average'][-1]:.2f}")
    return blocks


def shown(values):
    return " ".join(f"{value:.5g}" for value in values)


def interval(values):
    """Bootstrap interval of 95 % of the median; seeded, so that the same blocks give the same answer."""
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(DRAWS))
    return [medians[int(DRAWS * 0.025)], medians[int(DRAWS * 0.975)]]


def control(pairs):
    """A against A: the earlier and the later block of a round change sides from round to round."""
    return statistics.median(a / b if turn % 2 == 0 else b / a for turn, (a, b) in enumerate(pairs))


def summary(blocks):
    """ratio = ours / peer of each round's sums; of times, below 1 means that ours takes less."""
    ratios = [sum(a) / sum(b) for a, b in zip(blocks["ours"], blocks["peer"])]
    controls = {side: control(blocks[side]) for side in ("ours", "peer")}
    # The control that voids a row is ours; the peer's is shown beside it.
    return {
        "ours_median": statistics.median(x for pair in blocks["ours"] for x in pair),
        "peer_median": statistics.median(x for pair in blocks["peer"] for x in pair),
        "ratio": statistics.median(ratios),
        "interval_95": interval(ratios),
        "control": controls["ours"],
        "control_peer": controls["peer"],
        "void": not CONTROL[0] <= controls["ours"] <= CONTROL[1],
        "rounds": len(ratios),
        "ratios": ratios,
    }


def sentence(name, result, unit, scale=1.0):
    low, high = result["interval_95"]
    text = (f"{name}: ours {result['ours_median'] * scale:.4g} {unit}, peer {result['peer_median'] * scale:.4g} {unit}, "
            f"ratio {result['ratio']:.3f} ({low:.3f} to {high:.3f}), control {result['control']:.3f} "
            f"(peer's {result['control_peer']:.3f}), {result['rounds']} rounds")
    return text + (" VOID: the machine was too noisy" if result["void"] else "")


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                  if line.startswith("model name")), platform.processor())
    return {"cpu": model, "cores": os.cpu_count(), "allowed_cores": len(os.sched_getaffinity(0)),
            "system": platform.platform(), "python": platform.python_version()}


def save(path, record):
    if not path:
        return
    with open(path, "w", encoding="utf-8") as file:
        json.dump(record, file, indent=1)
        file.write("\n")
    print(f"blocks, versions and settings: {path}")
