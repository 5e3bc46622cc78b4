"""Checkpoints restore the state bit for bit, and reject anything damaged or mismatched."""

from __future__ import annotations

import errno
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

import safetensors.torch  # noqa: E402

from unseen.agents.errors import BadCheckpoint  # noqa: E402
from unseen.agents.shared.checkpoint import MANIFEST, TENSORS, Reader, Store, Writer, seal, unseal  # noqa: E402

CONFIG = {"lr": 0.1, "envs": 3}


class Thing:
    """One of everything that a store takes."""

    def __init__(self, seed: int, size: int = 3) -> None:
        torch.manual_seed(seed)
        self.net = torch.nn.Linear(size, 2)
        self.optimizer = torch.optim.Adam(self.net.parameters())
        self.net(torch.ones(size)).sum().backward()
        self.optimizer.step()
        self.noise, self.rng = torch.Generator().manual_seed(seed), np.random.Generator(np.random.Philox(seed))
        self.count, self.rate, self.on, self.word = seed, seed / 3, seed % 2 == 0, f"seed {seed}"
        self.returns = [seed + 0.5, float("inf")]
        self.rows, self.flags, self.bytes = np.arange(2.0 * seed).reshape(seed, 2), np.array([True, False]), b"x" * seed

    def sync(self, store: Store) -> None:
        store.module("net", self.net)
        store.optimizer("optimizer", self.optimizer)
        store.generator("noise", self.noise)
        store.rng("rng", self.rng)
        for name in ("count", "rate", "on", "word"):
            setattr(self, name, store.scalar(name, getattr(self, name)))
        self.returns = store.floats("returns", self.returns)
        self.rows = store.array("rows", self.rows, grows=True)
        self.flags = store.array("flags", self.flags)
        self.bytes = store.data("bytes", self.bytes)

    def draws(self) -> list[Any]:
        return [torch.rand(3, generator=self.noise).tolist(), self.rng.random(3).tolist()]

    def save(self, folder: Path) -> None:
        writer = Writer("thing", CONFIG)
        self.sync(writer)
        writer.write(folder)

    def load(self, folder: Path, name: str = "thing", config: dict[str, Any] = CONFIG) -> None:
        self.sync(Reader(folder, name, config))


def test_everything_comes_back(tmp_path: Path) -> None:
    one, other = Thing(4), Thing(5)
    one.save(tmp_path)
    other.load(tmp_path)
    for name in ("count", "rate", "on", "word", "returns", "bytes"):
        assert getattr(one, name) == getattr(other, name), name
    np.testing.assert_array_equal(one.rows, other.rows)
    np.testing.assert_array_equal(one.flags, other.flags)
    assert other.flags.dtype == bool
    assert one.draws() == other.draws()
    for a, b in zip(one.net.parameters(), other.net.parameters(), strict=True):
        assert torch.equal(a, b)
    for thing in (one, other):
        thing.net(torch.ones(3)).sum().backward()
        thing.optimizer.step()  # the moments came back as well
    assert torch.equal(one.net.weight, other.net.weight)


@pytest.mark.parametrize("file", [TENSORS, MANIFEST])
def test_a_flipped_bit_is_refused(file: str, tmp_path: Path) -> None:
    Thing(4).save(tmp_path)
    whole = (tmp_path / file).read_bytes()
    for at in random.Random(0).sample(range(8 * len(whole)), 150):
        damaged = bytearray(whole)
        damaged[at // 8] ^= 1 << at % 8
        (tmp_path / file).write_bytes(damaged)
        with pytest.raises(BadCheckpoint, match=tmp_path.name):
            Thing(5).load(tmp_path)
    (tmp_path / file).write_bytes(whole)
    Thing(5).load(tmp_path)


@pytest.mark.parametrize("file", [TENSORS, MANIFEST])
@pytest.mark.parametrize("damage", [None, b"", b"\xff\xfe", b"[" * 100_000, b"[]", b"{}"])
def test_files_that_are_missing_or_something_else_are_named(file: str, damage: bytes | None, tmp_path: Path) -> None:
    Thing(4).save(tmp_path)
    if damage is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(damage)
    with pytest.raises(BadCheckpoint, match=tmp_path.name):
        Thing(5).load(tmp_path)


def test_another_learners_checkpoint_is_refused(tmp_path: Path) -> None:
    Thing(4).save(tmp_path)
    with pytest.raises(BadCheckpoint, match="of thing in format 1, not of other"):
        Thing(5).load(tmp_path, name="other")
    with pytest.raises(BadCheckpoint, match="other settings: .*0.1"):
        Thing(5).load(tmp_path, config=CONFIG | {"lr": 0.2})
    with pytest.raises(BadCheckpoint, match="does not match .*: net"):
        Thing(5, size=4).load(tmp_path)


@pytest.mark.parametrize("name", ["count", "rows", "returns", "flags"])
def test_values_keep_their_type_and_shape(name: str, tmp_path: Path) -> None:
    one = Thing(4)
    wrong = {"count": 4.0, "rows": np.zeros((4, 3)), "returns": [1], "flags": np.zeros(2)}
    setattr(one, name, wrong[name])
    one.save(tmp_path)
    with pytest.raises(BadCheckpoint, match=f"does not match this learner and environment: {name} is"):
        Thing(5).load(tmp_path)


def test_a_full_disk_is_an_os_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any) -> None:
        raise safetensors.SafetensorError('IoError(Os { code: 28, message: "No space left on device" })')

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(OSError, match="No space left") as caught:
        Thing(4).save(tmp_path)
    assert caught.value.errno == errno.ENOSPC


def test_a_sealed_text_is_what_was_sealed() -> None:
    value = {"a": [1, 2.5, None], "b": {"c": "ü"}, "d": float("inf")}
    text = seal(value)
    assert unseal(text) == value
    for broken in (
        text.replace("2.5", "2.6"),
        text[:-1],
        "[]",
        "5",
        '{"digest": 1}',
        text.replace("digest", "digests"),
    ):
        with pytest.raises(ValueError):
            unseal(broken)
