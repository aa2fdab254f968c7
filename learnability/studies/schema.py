"""The schema of a configuration: config/schema.yaml, with what registries and classes of the library know filled in."""

from collections.abc import Iterable
from dataclasses import fields
from os import PathLike
from typing import Any

import yaml

from ..common.errors import require
from ..ensembles.training.methods import DTYPE, MAX_STEPS, METHODS, TARGET_MSE


def load_schema(path: str | PathLike) -> dict[str, Any]:
    """The JSON schema as a dict: training methods, their defaults, and what a study may override.

    Examples
    --------
    >>> from learnability.common.provenance import PACKAGE
    >>> schema = load_schema(PACKAGE.parent / "config" / "schema.yaml")
    >>> schema["properties"]["training"]["properties"]["method"]["enum"][0]
    'gradient_flow'
    """
    with open(path, encoding="utf-8") as file:
        schema = yaml.safe_load(file)
    training = schema["properties"]["training"]["properties"]
    training["method"]["enum"] = [*METHODS]
    for name, default in (("target_mse", TARGET_MSE), ("max_steps", MAX_STEPS), ("dtype", DTYPE)):
        training[name]["default"] = default
    options = [field for method in METHODS.values() for field in fields(method)]
    for name in {field.name for field in options}:
        defaults = {field.default for field in options if field.name == name}
        if len(defaults) == 1 and None not in defaults:  # where methods differ, each has its own
            (value,) = defaults
            training[name]["default"] = list(value) if isinstance(value, tuple) else value
    overrides = {name: {k: v for k, v in rule.items() if k != "default"} for name, rule in training.items()}
    study = schema["properties"]["studies"]["additionalProperties"]["properties"]
    study["training"]["properties"] = overrides
    return schema


def load_config(path: str | PathLike) -> dict[str, Any]:
    """A configuration file as a dict; ValueError names the file and, where YAML cannot be read, the line.

    Examples
    --------
    >>> from learnability.common.provenance import PACKAGE
    >>> sorted(load_config(PACKAGE.parent / "config" / "test.yaml")["domains"])
    ['cube', 'ring']
    """
    try:
        with open(path, encoding="utf-8") as file:
            config = yaml.safe_load(file)
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ValueError(f"{path}{place}: no valid YAML, {getattr(error, 'problem', None) or error}") from error
    require(isinstance(config, dict), f"{path}: holds no sections; it needs domains, architectures and studies")
    require(
        "__use_yte__" not in config,
        f"{path}: __use_yte__ lets Snakemake evaluate templates in this file, and configurations are plain YAML; remove it",
    )
    return config


def described(text: str) -> str:
    """A description with the names that registries offer in the place of <architectures>, <activations> and so on.

    Examples
    --------
    >>> described("One of <architectures>.").startswith("One of fully_connected")
    True
    """
    from ..domains import DOMAINS
    from ..experiments import EXPERIMENTS
    from ..figures import FIGURES
    from ..kernels import architectures
    from ..kernels.activations import ACTIVATIONS

    registries: dict[str, Iterable[str]] = {
        "<architectures>": architectures(),
        "<activations>": ACTIVATIONS,
        "<domains>": DOMAINS,
        "<figures>": sorted(FIGURES),
        "<experiments>": sorted(EXPERIMENTS),
    }
    for mark, names in registries.items():
        text = text.replace(mark, _listed(names))
    return text


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last
