r"""The empirical tangent kernel of any PyTorch module at initialisation.

Theta(x, x') = 1/outputs sum_o J_o(x) J_o(x')^T with J_o the derivatives of output o with respect to all trainable parameters
(Jacot et al. 2018, arXiv 1806.07572). It is the kernel of one initialisation. Predictions of several initialisations are to be
averaged, never their kernels: the mean of kernels is a wider network's, and predicts errors that are up to 40 % smaller.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..common.errors import choose, require, warn_caller, whole
from ..common.seeding import stream
from ..common.threads import one_thread
from .empirical.features import LastFeatures
from .empirical.initialisation import (
    calibrate,
    dtype_of,
    fingerprint,
    initialised,
    require_function_of_points,
    uncalibrated,
)
from .empirical.tangent import ChosenMethod, chosen, passing_bytes
from .kernel import KINDS, Kernel, Matrix
from .points import Array, matching_points
from .user_code import of_module, user_function

OUTPUTS = ("mean", "random")


@dataclass(frozen=True, repr=False)
class TorchModule(Kernel):
    """The tangent kernel of a PyTorch module with the weights that it has at initialisation.

    The kind "nngp" is the kernel of the last hidden features, h h'^T with h the inputs of the module's last linear layer: what
    is learned if its weights alone are trained. The module is in evaluation mode, so that dropout is off. Layers of batch
    normalisation that have seen no data take their statistics from the first points that the kernel meets, with a warning;
    `calibrated` names others. Parameters with requires_grad=False are constants: a frozen backbone with a trained head is a
    module like any other.

    Gradients have the module's precision and are summed in double precision. Which of several methods is used follows from the
    module; they agree up to rounding, in single precision 1e-6 of the largest entry.

    What it predicts: trained with the squared error on about a hundred samples, modules had errors of a rank correlation of 0.7
    to 0.9 with the predicted ones (docs/how-to/modules.md, docs/trained-networks.md). Which is best of several alike, errors at
    many more samples, and accuracies under cross-entropy are not promised.

    Parameters
    ----------
    factory : function without arguments that returns a torch.nn.Module, (points, ...) -> (points, outputs)
        Called once, after torch.manual_seed(seed); or, in a configuration,
    path, function : str
        a Python file and the function's name in it.
    seed : int
        Each initialisation is an architecture of its own: rank several, and average their errors.
    outputs : "mean" or "random"
        Of several outputs the mean of their kernels, or the kernel of one random direction among them, which is cheaper.
    allow_code : bool
        Whether the file may be run; read it before you say true.

    Raises
    ------
    ValueError
        No function or two; one that fails or returns no module; a module without trainable parameters. `kernel` raises it for
        points that the module does not take, and for what has no tangent kernel: a module that is random in evaluation, whose
        output depends on other samples of the batch or is no tensor (points, outputs), gradients that vanish or are not finite.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> from torch import nn
    >>> def convolutional():
    ...     return nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 10))
    >>> images = np.random.default_rng(0).standard_normal((30, 1, 8, 8))
    >>> network = lb.TorchModule(convolutional, seed=1)
    >>> network.kernel(images).shape
    (30, 30)
    >>> data = lb.Samples(images, y=images.mean((1, 2, 3)))
    >>> lb.learning_curve(data, network, data.label(0), train_size=[10, 20]).theory
    array(['per_sample', 'per_sample'], dtype='<U10')
    """

    factory: Callable[[], nn.Module] | None = None
    seed: int = 0
    outputs: str = "mean"
    path: str | None = None
    function: str | None = None
    allow_code: bool = False
    _module: nn.Module = field(init=False, repr=False, compare=False)
    _identity: dict[str, Any] = field(init=False, repr=False, compare=False)
    _methods: dict[tuple, ChosenMethod] = field(init=False, repr=False, compare=False)

    kinds = KINDS
    event_dims = (1, 2, 3)

    def __post_init__(self) -> None:
        whole("seed", self.seed, 0)
        require(
            self.outputs != "full",
            'outputs="full" makes (points * outputs)^2 numbers, which are no kernel of two points; write "mean"',
        )
        choose("outputs", self.outputs, OUTPUTS)
        require(
            (self.factory is None) != (self.path is None) and (self.path is None) == (self.function is None),
            "a torch module needs one function that builds it: factory, or path (a Python file) and function (a name in it)",
        )
        of_file: dict[str, Any] = {}
        factory = self.factory
        if self.path is not None and self.function is not None:
            factory, content = user_function(self.path, self.function, self.allow_code)
            of_file = {"function": self.function, "content": content}
        assert factory is not None
        with of_module(repr(self)):
            module = initialised(factory, self.seed)
        source = of_file or {"module": fingerprint(module)}
        identity = {"kind": "torch_module", **source, "seed": int(self.seed), "outputs": self.outputs}
        self._set(_module=module, _identity=identity, _methods={})

    @property
    def identity(self) -> dict[str, Any]:
        """What the kernel is, for hashing and for file attributes.

        Of a file its content and the function; else the digest of the module's layers and initial parameters.
        """
        return self._identity

    def __repr__(self) -> str:
        name = self.function or getattr(self.factory, "__name__", type(self.factory).__name__)
        return f"<TorchModule {name}, seed {self.seed}>"

    def module(self, seed: int | None = None) -> nn.Module:
        """A finite network at initialisation, in evaluation mode: a copy of its own.

        Parameters
        ----------
        seed : int, optional
            Missing: the architecture's own.

        Returns
        -------
        torch.nn.Module
        """
        factory = self.factory
        if self.path is not None and self.function is not None:
            factory, _ = user_function(self.path, self.function, self.allow_code)
        assert factory is not None
        return initialised(factory, self.seed if seed is None else whole("seed", seed, 0))

    @one_thread
    def calibrated(self, x: Array) -> "TorchModule":
        """The same module, its batch normalisation calibrated by one pass over points, which then belong to what it is.

        Parameters
        ----------
        x : (points, ...), e.g. the whole data set

        Returns
        -------
        TorchModule
        """
        copy = replace(self)
        points, _ = matching_points(x, None, self.event_dims)
        if uncalibrated(copy._module):
            calibrate(copy._module.to(points.device), points.to(dtype_of(copy._module)))
            copy._set(_identity={**copy._identity, "calibrated": fingerprint(copy._module)})
        return copy

    def diagonal(self, x: Array, kind: str = "ntk") -> Array:
        """K(x, x) of each point, (points,); what it takes and refuses as of `kernel`."""
        self._ready(matching_points(x, None, self.event_dims)[0])
        return super().diagonal(x, kind)

    def _matrix(self, points: Tensor, points2: Tensor | None, kind: str) -> Matrix:
        if len(points) == 0 or (points2 is not None and len(points2) == 0):
            return points.new_zeros(len(points), len(points if points2 is None else points2))
        x = self._ready(points)
        x2 = None if points2 is None else points2.to(x)
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            matrix = self._method(x, kind).matrix(x, x2)
            if not matrix.any():
                self._require_gradients(x, kind)
        return matrix

    def _ready(self, points: Float[Tensor, "points ..."]) -> Float[Tensor, "points ..."]:
        """Points as the module takes them; it is calibrated on the first ones that there are."""
        module = self._module.to(points.device)
        x = points.to(dtype_of(module))
        if len(x) and uncalibrated(module):
            with of_module(repr(self)):
                calibrate(module, x)
            warn_caller(
                f"{self!r} has batch normalisation, which is in evaluation mode with the statistics of these {len(x)} points, "
                f"one pass at initialisation; name others by .calibrated(x)"
            )
        return x

    def _method(self, x: Float[Tensor, "points ..."], kind: str) -> ChosenMethod:
        """How the kernel of points of this shape is computed."""
        key = (tuple(x.shape[1:]), x.device, kind)
        if key not in self._methods:
            with of_module(repr(self)):
                self._methods[key] = self._chosen_method(x, kind)
        return self._methods[key]

    def _chosen_method(self, x: Float[Tensor, "points ..."], kind: str) -> ChosenMethod:
        number = require_function_of_points(self._module, x)
        if kind == "ntk":
            return chosen(self._module, self._directions(number).to(x), x)
        features = LastFeatures(self._module)
        size = [factor.nbytes for factor in features(x[:1])]
        return ChosenMethod(features, size, passing_bytes(self._module, x))

    def _directions(self, number: int) -> Float[Tensor, "directions outputs"]:
        """The functions whose kernels are added up, as sums of outputs."""
        if self.outputs == "mean":
            return torch.eye(number, dtype=torch.float64) / np.sqrt(number)
        direction = stream("direction among outputs", module=self.identity).standard_normal((1, number))
        return torch.from_numpy(direction / np.linalg.norm(direction))

    def _require_gradients(self, x: Float[Tensor, "points ..."], kind: str) -> None:
        """Require that a kernel without other entries than zeros is one of points that are zero, or orthogonal."""
        first = x[x.flatten(1).any(1)][:1]
        require(
            len(first) == 0 or bool(self._method(first, kind).matrix(first, None).any()),
            f"the {kind} of {self!r} vanishes: its output depends on no trainable parameter, or all units are dead; scale the "
            f"inputs, or take another initialisation",
        )

    def _remedy(self, points: Tensor, kind: str) -> str:
        return "or the module's gradients are not finite there: scale the inputs, or take smaller initial weights"

    def _set(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            object.__setattr__(self, name, value)
