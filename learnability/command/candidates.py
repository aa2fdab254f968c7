"""What a ranking on the terminal compares beside dense networks: modules of the user's own files, and entries in YAML."""

from collections.abc import Iterable, Mapping
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import click

from ..common.errors import require
from ..kernels import architecture_from
from ..kernels.grid import members
from ..kernels.kernel import Kernel
from ..kernels.torch_module import TorchModule
from ..kernels.user_code import of_module, user_functions
from .problem import mapping_of

Candidates = dict[str, Kernel | list[Kernel]]


def modules_of(options: Iterable[str], seeds: int) -> Candidates:
    """The kernels of modules at so many initialisations, {function: kernels}.

    Parameters
    ----------
    options : sequence of str
        "models.py", all functions without arguments that the file defines, or "models.py:small_cnn,mlp". The files are run.

    Raises
    ------
    ValueError
        A file that fails or has no such function, a function that does not build a module, two of the same name.
    """
    candidates: Candidates = {}
    for option in options:
        path, _, names = option.partition(":") if ":" in Path(option).name else (option, "", "")
        with of_module(f"--modules {option}"):
            for name in [name.strip() for name in names.split(",")] if names else _builders(path):
                require(name not in candidates, f"there are two functions {name}; rename one")
                candidates[name] = [
                    TorchModule(path=path, function=name, seed=seed, allow_code=True) for seed in range(seeds)
                ]
    return candidates


def _builders(path: str) -> list[str]:
    """The functions of a file that can be called without arguments; others are named."""
    functions = user_functions(path, allow_code=True)
    builders = [name for name, function in functions.items() if not _required(function)]
    for name, function in functions.items():
        if name not in builders:
            click.echo(f"note: {path}: {name} needs {', '.join(_required(function))} and is left out", err=True)
    require(
        len(builders) > 0,
        f"{path} defines no function without arguments; write e.g. def small(): return torch.nn.Sequential(...), or name a "
        f"class without arguments, {path}:Net",
    )
    return builders


def _required(function: Any) -> list[str]:
    """The arguments that a function cannot be called without."""
    kinds = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    return [
        name
        for name, p in signature(function).parameters.items()
        if p.default is Parameter.empty and p.kind not in kinds
    ]


def architectures_of(options: Iterable[str]) -> Candidates:
    """Architectures in YAML, {name: entry} as in the section `architectures` of a configuration.

    Raises
    ------
    ValueError
        What is no mapping of names to entries, or no architecture; two of the same name.
    """
    candidates: Candidates = {}
    for option in options:
        for name, entry in mapping_of("--architecture", option, "smooth: {kind: gaussian, length: 2}").items():
            require(
                isinstance(entry, Mapping),
                f"--architecture {option!r}: {name} is no mapping; write e.g. 'smooth: {{kind: gaussian, length: 2}}'",
            )
            for member, one in members(str(name), entry).items():
                require(member not in candidates, f"--architecture: there are two called {member}; rename one")
                with of_module(f"--architecture {member}"):
                    kernels = [architecture_from(each) for each in ([one] if isinstance(one, Mapping) else one)]
                candidates[member] = kernels if len(kernels) > 1 else kernels[0]
    return candidates
