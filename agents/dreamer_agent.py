"""A dreamer's policy as an `Agent`, and its export as ONNX graphs (see `unseen.agents.onnx_agent`)."""

from __future__ import annotations

import copy
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.agents.mental_map import GOAL, PLACE
from unseen.agents.nets import draw, symexp
from unseen.agents.rssm import RSSM

if TYPE_CHECKING:
    from unseen.agents.dreamer import ActorCritic
    from unseen.envs.planar.sensors import Layout


class DreamerPolicy(nn.Module):
    """One decision. The state row is memory and stochastic state, (n, D + S*C)."""

    def __init__(self, model: RSSM, ac: ActorCritic) -> None:
        super().__init__()
        self.model, self.actor = model, ac.actor

    def split(self, state: Tensor) -> tuple[Tensor, Tensor]:
        return state[:, : self.model.deter], state[:, self.model.deter :]

    def one_hot(self, action: Tensor) -> Tensor:
        return F.one_hot(action, self.model.actions).float()

    def forward(
        self, obs: Tensor, state: Tensor, last: Tensor, first: Tensor, noise: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """obs (n, d), state, last action (n,), first (n, 1), noise (n, S) -> action (n,), logits (n, A), new state."""
        h, z = self.split(state)
        h, z = self.model.observe_step(h, z, self.one_hot(last), obs, 1 - first, noise[..., None])
        feat = torch.cat([h, z], -1)
        logits = self.actor(self.model.read(feat))
        return logits.argmax(-1), logits, feat


class _Act(nn.Module):
    """DreamerPolicy with the map drawn beside, for export."""

    def __init__(self, policy: DreamerPolicy, layout: Layout | None) -> None:
        super().__init__()
        self.policy, self.layout = policy, layout

    def forward(self, obs: Tensor, state: Tensor, last: Tensor, first: Tensor, noise: Tensor) -> tuple[Tensor, ...]:
        action, logits, new = self.policy(obs, state, last, first, noise)
        model = self.policy.model
        return action, logits, new, draw_map(model, new, self.layout), draw_places(model, new, self.layout)


class _Imagine(nn.Module):
    """One step of the dream, for export."""

    def __init__(self, policy: DreamerPolicy, layout: Layout) -> None:
        super().__init__()
        self.policy, self.layout = policy, layout

    def forward(self, state: Tensor, action: Tensor, noise: Tensor) -> tuple[Tensor, ...]:
        model = self.policy.model
        h, z = self.policy.split(state)
        h, z = model.imagine_step(h, z, self.policy.one_hot(action), noise[..., None])
        feat = torch.cat([h, z], -1)
        pose = symexp(model.decoder(feat))[:, self.layout.pose]
        going = torch.sigmoid(model.going(feat)[:, 0])
        reward = model.twohot.mean(model.reward(feat))
        logits = self.policy.actor(model.read(feat))
        return feat, logits, draw_map(model, feat, self.layout), pose, reward, going


def draw_map(model: RSSM, feat: Tensor, layout: Layout | None) -> Tensor:
    """(n, 5 k): the mapper's map; for a dreamer what it decodes as the present view, which is all it has."""
    if layout is None or layout.discs[1] == 0:  # nothing small to draw
        return feat[:, :0]
    if hasattr(model, "map"):
        return model.get_submodule("map")(feat)[:, : 5 * layout.things]
    start, count, width = layout.discs
    view = symexp(model.decoder(feat))[:, start : start + count * width]
    return view.reshape(-1, count, width)[..., :5].reshape(-1, count * 5)


def draw_places(model: RSSM, feat: Tensor, layout: Layout | None) -> Tensor:
    """(n, 3 k): where the mapper's map puts each kind of tall thing, if there are several."""
    if layout is None or layout.sizes.box_kinds == 0 or not hasattr(model, "map"):
        return feat[:, :0]
    return model.get_submodule("map")(feat)[:, -GOAL - PLACE * layout.sizes.box_kinds : -GOAL]


class DreamerState(NamedTuple):
    """Memory of a `DreamerAgent`."""

    latent: np.ndarray
    """(n, D + S*C)"""
    last: np.ndarray
    """(n,) the action that was taken"""


class DreamerAgent:
    """The policy of a learner, in torch, with its own noise: evaluating it does not disturb training."""

    obs = "slots"

    def __init__(self, name: str, model: RSSM, ac: ActorCritic) -> None:
        self.name = name
        self._policy = DreamerPolicy(model, ac)
        self._device = next(model.parameters()).device
        self.seed(0)

    def seed(self, seed: int) -> None:
        self._rng = np.random.Generator(np.random.Philox(seed))

    def initial_state(self, batch: int) -> DreamerState:
        return DreamerState(np.zeros((batch, self._policy.model.feat), np.float32), np.zeros(batch, np.int64))

    @torch.no_grad()
    def act(
        self, obs: np.ndarray, state: DreamerState, first: np.ndarray, explore: bool = False
    ) -> tuple[np.ndarray, DreamerState]:
        n = len(obs)
        noise = self._rng.random((n, self._policy.model.groups), dtype=np.float32)
        inputs = (np.asarray(obs, np.float32), *state, np.asarray(first, np.float32).reshape(n, 1), noise)
        action, logits, latent = self._policy(*(torch.as_tensor(x, device=self._device) for x in inputs))
        if explore:
            uniform = torch.as_tensor(self._rng.random((n, 1), dtype=np.float32), device=self._device)
            action = draw(logits.softmax(-1), uniform).argmax(-1)
        chosen = action.cpu().numpy()
        return chosen, DreamerState(latent.cpu().numpy(), chosen)


def export_onnx(model: RSSM, ac: ActorCritic, layout: Layout | None, obs: int, path: Path) -> None:
    """Write the policy to `path`, and one step of imagination to `<stem>.imagine.onnx`."""
    policy = copy.deepcopy(DreamerPolicy(model, ac)).cpu().eval()  # the learner's own stays where it is
    n = 2
    state, noise, action = torch.zeros(n, model.feat), torch.rand(n, model.groups), torch.zeros(n, dtype=torch.long)
    act = (torch.zeros(n, obs), state, action, torch.ones(n, 1), noise)
    outputs = ["action", "logits", "new_state", "map", "places"]
    write_onnx(_Act(policy, layout), act, ["obs", "state", "last", "first", "noise"], outputs, path)
    if layout is not None:
        dream = (state, action, noise)
        outputs = ["new_state", "logits", "map", "pose", "reward", "continue"]
        target = path.with_suffix(".imagine.onnx")
        write_onnx(_Imagine(policy, layout), dream, ["state", "action", "noise"], outputs, target)


def write_onnx(module: nn.Module, inputs: tuple[Tensor, ...], names: list[str], outputs: list[str], path: Path) -> None:
    """Export with a dynamic batch and embedded weights, and without the stack traces of where each node comes from."""
    batch = torch.export.Dim("n", min=1, max=1 << 20)
    shapes: Any = tuple({0: batch} for _ in inputs)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # else: torchvision is not installed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(), inputs, dynamo=True, input_names=names, output_names=outputs, dynamic_shapes=shapes,
            verbose=False,
        )  # fmt: skip
    assert program is not None
    parts: list[Any] = [program.model.graph, *program.model.functions.values()]
    for part in parts:
        for node in part.all_nodes():
            node.metadata_props.clear()
    program.save(str(path), external_data=False)
