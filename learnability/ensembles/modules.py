r"""Ensembles of any PyTorch module, as one batched program: lists of layers at a finite width, and modules of the user's own.

All networks have the same layers, and parameters of their own along a leading axis (`torch.func.functional_call` under `vmap`).
Where the signals of one network alone fill a core's cache, and where `vmap` cannot, networks are evaluated one after the other,
which gives the same up to rounding. Modules are in evaluation mode, as their tangent kernel has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, vmap

from ..common.seeding import stream
from ..common.threads import one_thread
from ..kernels.empirical.factors import Factor, Jacobian
from ..kernels.empirical.initialisation import calibrate, copied, require_function_of_points, uncalibrated
from ..kernels.empirical.samplewise import AllAtOnce, OneByOne
from ..kernels.empirical.tangent import passing_bytes
from ..kernels.sequential import Sequential
from ..kernels.torch_module import TorchModule
from .attention import plain_attention
from .lanczos import largest_of_kernel
from .memory import TOGETHER_BYTES, module_bytes
from .model import Index
from .module_of import made, module_size, require_outputs

JACOBIAN_BYTES = 1 << 26  # of some points of one network
PROBES = 3  # points on which a module is tried out
SAME = 1e-4  # of the largest output: rounding of single precision

Tensors = dict[str, Tensor]


@dataclass
class ModuleEnsemble:
    """Networks of one module, with their parameters as the leading axis of batched tensors.

    Attributes
    ----------
    architecture : Sequential or TorchModule
    shape : of a point
    template : torch.nn.Module
        Whose layers all networks have; its weights are those of the first seed.
    weights : {name: (networks, ...)}, the trainable parameters, tied ones once
    own : {name: (networks, ...)}, constants of each network, such as statistics of batch normalisation
    shared : {name: (...)}, constants that are the same in all networks
    outputs : int
    passing_bytes : int
        Of what passes through a network for a point.
    together : bool
        Whether vmap can evaluate the module.

    Examples
    --------
    >>> import torch
    >>> import learnability as lb
    >>> from learnability.ensembles.modules import ModuleEnsemble
    >>> layers = lb.Sequential([{"conv": {"kernel": 3}}, "relu", "global_avg_pool", "dense"])
    >>> networks = ModuleEnsemble.initial(layers, (1, 8, 8), width=16, seeds=range(5), outputs=10)
    >>> len(networks), tuple(networks.forward(torch.ones(7, 64)).shape)
    (5, (5, 7, 10))
    """

    architecture: Sequential | TorchModule
    shape: tuple[int, ...]
    template: nn.Module
    weights: Tensors
    own: Tensors
    shared: Tensors
    outputs: int
    passing_bytes: int
    together: bool

    @classmethod
    @plain_attention
    def initial(
        cls,
        architecture: Sequential | TorchModule,
        shape: Sequence[int],
        width: int | None,
        seeds: Sequence[int],
        outputs: int = 1,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> "ModuleEnsemble":
        """Networks at initialisation.

        The network of a seed is `Sequential.module(..., seed=seed)`, or the one whose kernel is `TorchModule(..., seed=seed)`.

        Returns
        -------
        ModuleEnsemble with one network per entry of `seeds`.

        Raises
        ------
        ValueError
            A module that is no function of each point by itself; another number of outputs than the labels have.
        """
        shape = tuple(int(size) for size in shape)
        modules = [made(architecture, shape, width, seed, outputs).to(device, dtype) for seed in seeds]
        template = modules[0]
        probes = torch.from_numpy(stream("probes", shape=shape).standard_normal((PROBES, *shape)))
        probes = probes.to(device, dtype)
        number = require_function_of_points(template, probes)
        require_outputs(architecture, number, outputs)
        trained = {name for name, parameter in template.named_parameters() if parameter.requires_grad}
        states = [{**dict(module.named_parameters()), **dict(module.named_buffers())} for module in modules]
        stacks = {name: [state[name].detach() for state in states] for name in states[0]}
        weights = {name: torch.stack(values) for name, values in stacks.items() if name in trained}
        constants = {name: values for name, values in stacks.items() if name not in trained}
        shared = {name: v[0] for name, v in constants.items() if all(torch.equal(v[0], other) for other in v[1:])}
        own = {name: torch.stack(values) for name, values in constants.items() if name not in shared}
        signals = passing_bytes(template, probes)
        networks = cls(architecture, shape, template, weights, own, shared, outputs, signals, together=False)
        return replace(networks, together=_agree(networks, probes.flatten(1)))

    @staticmethod
    def bytes_in_training(
        architecture: Sequential | TorchModule,
        width: int | None,
        shape: Sequence[int],
        outputs: int,
        train_size: int,
        test_points: int,
        precision: torch.dtype,
    ) -> int:
        """Bytes that one network takes while it is trained."""
        size = module_size(architecture, shape, width, outputs, precision)
        return module_bytes(size, train_size, test_points, outputs)

    @classmethod
    def joined(cls, parts: "Sequence[ModuleEnsemble]") -> "ModuleEnsemble":
        """One ensemble from several of the same architecture and shape."""

        def of_all(name: str) -> Tensor:
            return torch.cat([p.own[name] if name in p.own else _repeated(p.shared[name], len(p)) for p in parts])

        def same(name: str) -> bool:
            return all(name in part.shared and torch.equal(part.shared[name], first.shared[name]) for part in parts)

        first = parts[0]
        shared = {name: value for name, value in first.shared.items() if same(name)}
        own = {name: of_all(name) for name in [*first.own, *first.shared] if name not in shared}
        weights = {name: torch.cat([part.weights[name] for part in parts]) for name in first.weights}
        return replace(first, weights=weights, own=own, shared=shared)

    # --- bookkeeping ------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(next(iter(self.weights.values())))

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the parameters."""
        return next(iter(self.weights.values())).dtype

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(iter(self.weights.values())).device

    def parameters(self) -> list[Tensor]:
        """All trainable parameters, each (networks, ...)."""
        return [*self.weights.values()]

    def constants(self) -> list[Tensor]:
        """What networks have of their own and do not train, each (networks, ...)."""
        return [*self.own.values()]

    def select(self, index: Index) -> "ModuleEnsemble":
        """The networks listed in `index`: copied for a tensor of numbers or a mask, shared for a slice."""
        weights, own = ({name: value[index] for name, value in tensors.items()} for tensors in (self.weights, self.own))
        return replace(self, weights=weights, own=own)

    def to(self, device: torch.device | str) -> "ModuleEnsemble":
        """The same networks on a device."""
        tensors = (self.weights, self.own, self.shared)
        weights, own, shared = ({name: value.to(device) for name, value in each.items()} for each in tensors)
        return replace(self, template=copied(self.template).to(device), weights=weights, own=own, shared=shared)

    def copy_from(self, other: "ModuleEnsemble", index: Index) -> None:
        """Overwrite the parameters of the networks listed in `index` by those of `other`."""
        for mine, theirs in zip(self.parameters(), other.parameters(), strict=True):
            mine[index] = theirs

    def module(self, number: int) -> nn.Module:
        """One network as a module of its own, in evaluation mode."""
        module = copied(self.template)
        state = {**self.shared, **{name: v[number] for name, v in [*self.weights.items(), *self.own.items()]}}
        with torch.no_grad():
            for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
                tensor.copy_(state[name])
        return module

    @plain_attention
    def calibrated(self, x: Float[Tensor, "*networks points dim"]) -> "ModuleEnsemble":
        """The same networks, batch normalisation without statistics calibrated by one pass over each one's points."""
        if not uncalibrated(self.template):
            return self
        points = self._points(x).expand(len(self), *x.shape[-2:-1], *self.shape)
        buffers = []
        for number in range(len(self)):
            module = self.module(number)
            calibrate(module, points[number])
            buffers.append(dict(module.named_buffers()))
        own = {name: torch.stack([each[name] for each in buffers]) for name in buffers[0]}
        shared = {name: value for name, value in self.shared.items() if name not in own}
        return replace(self, own={**self.own, **own}, shared=shared)

    # --- functions --------------------------------------------------------------------------------------------

    @one_thread
    @plain_attention
    def forward(self, x: Float[Tensor, "*networks points dim"]) -> Float[Tensor, "networks points outputs"]:
        """Outputs at x, (points, dim) or (networks, points, dim), points flattened: (networks, points, outputs).

        Without gradients a part of the points is evaluated at a time: there may be many.
        """
        if torch.is_grad_enabled() and any(p.requires_grad for p in self.parameters()):
            return self._evaluated(self.weights, x)
        with torch.no_grad():
            parts = x.split(max(1, TOGETHER_BYTES // self.passing_bytes), -2)
            return torch.cat([self._evaluated(self.weights, part) for part in parts], 1)

    @one_thread
    @plain_attention
    def linearize(self, x: Float[Tensor, "*networks points dim"]) -> "ModuleDescent":
        """Outputs at x and the way down from there."""
        weights = self._leaves()
        with torch.enable_grad():
            values = self._evaluated(weights, x)
        return ModuleDescent(values, [*weights.values()], torch.arange(len(self), device=self.device))

    @one_thread
    @plain_attention
    def largest_eigenvalues(self, x: Float[Tensor, "*networks points dim"]) -> Float[Tensor, " networks"]:
        """Of J J^T on all outputs at the points x, in float64, by Lanczos' method: J itself is not made.

        J u is the derivative of J^T c, which is linear in c, with respect to c.
        """
        weights = self._leaves()
        leaves = [*weights.values()]
        with torch.enable_grad():
            values = self._evaluated(weights, x)
            cotangent = torch.zeros_like(values, requires_grad=True)
            gradients = torch.autograd.grad(values, leaves, cotangent, create_graph=True, allow_unused=True)
        pairs = [(gradient, leaf) for gradient, leaf in zip(gradients, leaves) if gradient is not None]
        gradients, leaves = tuple(gradient for gradient, _ in pairs), [leaf for _, leaf in pairs]

        def product(
            cotangents: Float[Tensor, "networks points outputs"],
        ) -> Float[Tensor, "networks points outputs"]:
            pulled = torch.autograd.grad(values, leaves, cotangents, retain_graph=True)
            (pushed,) = torch.autograd.grad(gradients, cotangent, pulled, retain_graph=True)
            return pushed

        return largest_of_kernel(product, values)

    @one_thread
    @plain_attention
    def largest_traces(self, x: Float[Tensor, "*networks points dim"]) -> Float[Tensor, " networks"]:
        """The largest, over the points x, of the trace over outputs of J(x) J(x)^T, in float64."""
        points = self._points(x).expand(len(self), *x.shape[-2:-1], *self.shape)
        directions = torch.eye(self.outputs, dtype=self.dtype, device=self.device)
        size = self.outputs * sum(weights[0].nbytes for weights in self.weights.values())
        kind = AllAtOnce if self.together else OneByOne
        largest = []
        for number in range(len(self)):
            method = kind(self.module(number), directions)
            parts = [method(part) for part in points[number].split(max(1, JACOBIAN_BYTES // size))]
            largest.append(torch.cat([_traces(factors) for factors in parts]).max())
        return torch.stack(largest)

    def _points(self, x: Float[Tensor, "*networks points dim"]) -> Float[Tensor, "..."]:
        """Points in the shape that the module takes."""
        return x.reshape(*x.shape[:-1], *self.shape)

    @cached_property
    def _places(self) -> dict[str, str]:
        """Where each layer, once, has its parameters and buffers, and what these are called: tied ones have one name."""
        named = [*self.template.named_parameters(), *self.template.named_buffers()]
        names = {id(tensor): name for name, tensor in named}
        return {
            f"{layer}.{name}".lstrip("."): names[id(tensor)]
            for layer, module in self.template.named_modules()
            for name, tensor in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
        }

    def _leaves(self) -> Tensors:
        """The parameters, for derivatives with respect to them."""
        return {name: weights.detach().requires_grad_() for name, weights in self.weights.items()}

    def _evaluated(
        self, weights: Tensors, x: Float[Tensor, "*networks points dim"]
    ) -> Float[Tensor, "networks points outputs"]:
        """Outputs of networks with these weights."""
        fits = x.shape[-2] * self.passing_bytes <= TOGETHER_BYTES or self.device.type != "cpu"
        each = 0 if x.ndim == 3 else None
        points = self._points(x)
        if self.together and fits:
            try:
                return vmap(self._one, in_dims=(0, 0, each))(weights, self.own, points)
            except RuntimeError:  # its rules depend on how tensors lie in memory, and so on the number of points
                self.together = False
        split = {name: values.unbind() for name, values in weights.items()}  # whose gradient is one stack
        return torch.stack([
            self._one(
                {name: values[number] for name, values in split.items()},
                {name: values[number] for name, values in self.own.items()},
                points if each is None else points[number],
            )
            for number in range(len(self))
        ])  # fmt: skip

    def _one(self, weights: Tensors, own: Tensors, points: Float[Tensor, "points ..."]) -> Tensor:
        """Outputs of one network, (points, outputs)."""
        state = {**self.shared, **own, **weights}
        values = {place: state[name] for place, name in self._places.items()}
        outputs = functional_call(self.template, values, (points,), tie_weights=False)
        return outputs if outputs.ndim == 2 else outputs[:, None]


@dataclass
class ModuleDescent:
    """Outputs of an ensemble at given points, and their graph."""

    _values: Float[Tensor, "networks points outputs"]
    _leaves: list[Tensor]
    _index: Tensor

    @property
    def values(self) -> Float[Tensor, "networks points outputs"]:
        """Outputs, without their graph."""
        return self._values.detach()[self._index]

    def descend(
        self,
        model: ModuleEnsemble,
        cotangent: Float[Tensor, "networks points outputs"],
        out: ModuleEnsemble | None = None,
    ) -> ModuleEnsemble:
        """The networks at parameters - J^T c; written into `out` if there is one. It can be asked for once."""
        full = torch.zeros_like(self._values)
        full[self._index] = cotangent
        gradients = torch.autograd.grad(self._values, self._leaves, full, materialize_grads=True)
        new = model.select(slice(None)) if out is None else out
        for name, gradient, mine in zip(model.weights, gradients, model.parameters(), strict=True):
            step = gradient[self._index]
            if out is None:
                new.weights[name] = mine - step
            else:
                torch.sub(mine, step, out=new.weights[name])
        return new

    def select(self, index: Index) -> "ModuleDescent":
        """That of the networks listed in `index`."""
        return replace(self, _index=self._index[index])


def _agree(networks: ModuleEnsemble, points: Float[Tensor, "points dim"]) -> bool:
    """Whether vmap evaluates and differentiates the module, to the outputs that it has one network after the other."""
    few = networks.select(slice(0, 2))
    try:
        together = replace(few, together=True)
        weights = together._leaves()
        shared = few._points(points)
        with torch.enable_grad():
            values = vmap(together._one, in_dims=(0, 0, None))(weights, few.own, shared)
            again = vmap(together._one)(weights, few.own, shared.expand(len(few), *shared.shape))
            torch.autograd.grad((values + again).sum(), [*weights.values()], allow_unused=True)
        apart = few.forward(points)
    except Exception:  # whatever stops vmap: branches on data, buffers that are written, layers without a rule
        return False
    return all(bool((one - apart).abs().max() <= SAME * apart.abs().max()) for one in (values, again))


def _traces(factors: Sequence[Factor]) -> Float[Tensor, " points"]:
    """The squared norms of points' Jacobians."""
    squares = [f.columns.double().square().sum(1) for f in factors if isinstance(f, Jacobian)]
    return torch.stack(squares).sum(0)


def _repeated(value: Tensor, networks: int) -> Tensor:
    return value.expand(networks, *value.shape)
