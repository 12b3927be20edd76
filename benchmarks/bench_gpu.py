"""Training on a GPU: 100 epochs of 175,000 entities, against what the device could do at best.

    python benchmarks/bench_gpu.py [--epochs 100]

Features of the published widths (4,096 and 3,072, a table of 60 classes), float16 and made-up, lie on
the device; the loop is that of `mlmkg train`, compiled, in bfloat16. ``ir-le`` at its batch of 128 and
at 4,096, ``mlm-clip`` at the same. Clock times of whole epochs after one that compiles and is not
counted, scaled to 100. The floor of an epoch is the larger of: the bytes that features and optimizer
move at least, at the bandwidth of a copy measured in the same run; the model's floating-point
operations, at the speed of a bfloat16 matrix product of 8,192, measured likewise. CUDA itself is asked
to refuse whatever would make the host wait inside an epoch.

Without a GPU it says so and checks on the CPU what makes it fast there: a step calls as many torch
operations, and as many functions of Python, for 512 entities as for 64 (no work per sample on the
host), and model and objective are one graph each. Prints one JSON object per figure.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from loop import Loop
from mlmkg.ml import train
from mlmkg.ml.data import Dataset
from mlmkg.ml.rows import Rows
from mlmkg.ml.settings import settings_of
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

ENTITIES = 175_000
WIDTHS = (4_096, 3_072)
#: Seconds of 100 epochs by batch, for ir-le.
TARGETS = {128: 180, 4_096: 40}
CELLS, CLASSES = 140, 60


def made_up(entities: int, widths: tuple[int, int], device: torch.device) -> Dataset:
    """Return a dataset whose vectors are on the device, all of it for training."""
    generator = torch.Generator(device).manual_seed(0)

    def rows(count: int, width: int, index: torch.Tensor) -> Rows:
        vectors = torch.empty(count, width, dtype=torch.float16, device=device)
        for part in vectors.split(10_000):
            part.normal_(generator=generator)
        return Rows(vectors, index, torch.arange(entities + 1), torch.full((entities,), -1))

    each = torch.arange(entities)
    degrees = torch.rand(entities, 2, dtype=torch.float64) * 100
    nobody = each[:0]
    return Dataset(
        key="made-up", version="made-up", entities=[f"e{i}" for i in range(entities)],
        images=rows(entities, widths[0], each), texts=rows(entities, widths[1], each),
        cell=each % CELLS, cells=[f"c{i}" for i in range(CELLS)], centres=degrees[:CELLS],
        places=degrees, split={"train": each, "val": nobody, "test": nobody},
        encoders=("made-up", "made-up"), languages=[], recipe={}, labels=[], continents=[],
        classes=rows(CLASSES, widths[1], each % CLASSES),
    )  # fmt: skip


def clock(work: Callable[[], object]) -> float:
    """Return seconds until the device has done the work."""
    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def peaks(device: torch.device) -> tuple[float, float]:
    """Return bytes per second of a copy (read and written) and operations per second of a product."""
    source = torch.empty(1 << 30, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    a = torch.randn(8_192, 8_192, dtype=torch.bfloat16, device=device)
    copy = min(clock(lambda: target.copy_(source)) for _ in range(5))
    product = min(clock(lambda: a @ a) for _ in range(5))
    return 2 * source.numel() / copy, 2 * 8_192**3 / product


def floor(loop: Loop, dataset: Dataset, bandwidth: float, speed: float) -> dict[str, float]:
    """Return what an epoch needs at least, in TFLOP, GB and seconds."""
    batch = next(loop.batches())
    with FlopCounterMode(display=False) as counter, torch.autocast("cuda", torch.bfloat16):
        loop.objective(loop.model(loop.feeder.inputs(batch)), batch)[0].backward()
    steps = len(dataset.split["train"]) // loop.config.batch
    flop = counter.get_total_flops() * steps
    learned = sum(p.numel() for p in loop.model.parameters() if p.grad is not None)
    loop.optimizer.zero_grad(set_to_none=True)
    widths = sum(dataset.rows(name).vectors.shape[1] for name in loop.model.inputs)
    features = 2 * widths * steps * loop.config.batch
    optimizer = 7 * 4 * learned * steps  # weight, gradient and two moments read; three of them written
    moved = features + optimizer
    return {
        "tflop": round(flop / 1e12, 1), "gb_features": round(features / 1e9, 1),
        "gb_optimizer": round(optimizer / 1e9, 1), "floor_s": max(flop / speed, moved / bandwidth),
    }  # fmt: skip


def several(loop: Loop, epochs: int) -> None:
    for _ in range(epochs):
        loop.epoch()


def on_gpu(epochs: int) -> None:
    device = torch.device("cuda")
    dataset = made_up(ENTITIES, WIDTHS, device)
    bandwidth, speed = peaks(device)
    print(json.dumps({
        "name": "device", "device": torch.cuda.get_device_name(), "torch": torch.__version__,
        "copy_gb_s": round(bandwidth / 1e9), "matmul_tflop_s": round(speed / 1e12),
    }), flush=True)  # fmt: skip
    for model in ("ir-le", "mlm-clip"):
        for batch, target in TARGETS.items():
            with train._deterministic(0, 1):
                config = settings_of(
                    model, batch=batch, precision="bf16", compile="yes", epochs=epochs + 3
                )
                loop = Loop(dataset, config, device)
                least = floor(loop, dataset, bandwidth, speed)
                compiling = clock(loop.epoch)
                torch.cuda.set_sync_debug_mode("error")
                total = torch.zeros((), device=device)
                waits = "none"
                try:
                    total += loop.epoch()
                except RuntimeError as error:
                    waits = str(error).splitlines()[0]
                torch.cuda.set_sync_debug_mode("default")
                seconds = clock(partial(several, loop, epochs)) / epochs * 100
            floor_s = least.pop("floor_s") * 100
            print(json.dumps({
                "name": f"{model}, batch {batch:,}, 100 epochs", "seconds": round(seconds, 1),
                "target": f"<= {target}", "met": seconds <= target, "floor_s": round(floor_s, 1),
                "times_the_floor": round(seconds / floor_s, 1), **least,
                "host waits in an epoch": waits, "first_epoch_s": round(compiling, 1),
                "peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 1),
                "how": f"clock, {epochs} epochs, scaled; bfloat16",
            }), flush=True)  # fmt: skip


class _Counting(TorchDispatchMode):
    """Counts the torch operations that reach the dispatcher."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls += 1
        return func(*args, **(kwargs or {}))


def calls(model: str, batch: int, dataset: Dataset) -> tuple[int, int]:
    """Return how many torch operations, and how many functions, a step calls once it has settled."""
    config = settings_of(model, batch=batch, compile="no", threads=1)
    loop = Loop(dataset, config, torch.device("cpu"))
    batches = loop.batches()
    loop.step(next(batches))
    with _Counting() as counting:
        loop.step(next(batches))
    functions = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal functions
        functions += event in {"call", "c_call"}

    batches = loop.batches()
    next(batches)
    sys.setprofile(count)
    loop.step(next(batches))
    sys.setprofile(None)
    return counting.calls, functions


def one_graph(model: str, dataset: Dataset) -> bool:
    """Return whether a model and its objective can be traced whole, as compiling on a GPU needs it."""
    loop = Loop(dataset, settings_of(model, batch=64, compile="no", threads=1), torch.device("cpu"))
    traced = torch.compile(loop.model, fullgraph=True, backend="eager")
    lost = torch.compile(loop.objective, fullgraph=True, backend="eager")
    batch = next(loop.batches())
    try:
        lost(traced(loop.feeder.inputs(batch)), batch)
    except torch._dynamo.exc.Unsupported:
        return False
    return True


def on_cpu() -> None:
    print("this measures a GPU, and there is none: what can be checked on the CPU follows")
    torch.set_num_threads(1)
    dataset = made_up(2_048, (64, 48), torch.device("cpu"))
    for model in ("ir-le", "mlm-clip"):
        few, many = calls(model, 64, dataset), calls(model, 512, dataset)
        print(json.dumps({
            "name": f"{model}, host work of a step", "torch operations, batch 64": few[0],
            "batch 512": many[0], "Python calls, batch 64": few[1], "Python calls, batch 512": many[1],
            "target": "equal", "met": few == many, "one graph each": one_graph(model, dataset),
        }), flush=True)  # fmt: skip


def main() -> None:
    """Measure on a GPU, or check on the CPU."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--epochs", type=int, default=5, help="measured, and scaled to 100")
    options = parser.parse_args()
    if torch.cuda.is_available():
        on_gpu(options.epochs)
    else:
        on_cpu()


if __name__ == "__main__":
    main()
