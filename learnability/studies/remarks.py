"""What a configuration may say and probably does not mean.

Odd networks for labels with a mean (`learnability.kernels.odd`), and options of networks where none are trained.
"""

from collections.abc import Mapping

from ..domains import target_from
from ..domains.domain import Domain
from ..domains.samples import DataSet
from ..kernels import architecture_from
from ..kernels.kernel import Kernel
from ..kernels.odd import misses_the_mean, remark
from .configuration import Config, Entry, Experiment, Study, candidates_in, targets_in


def remarks(
    config: Config,
    studies: Mapping[str, Study],
    experiments: Mapping[str, Experiment],
    domains: Mapping[str, Domain],
    architectures: Mapping[str, Kernel],
) -> list[str]:
    """Lines on what was understood of each data set, and one for each study or experiment and target that may not be meant.

    Parameters
    ----------
    config : dict, checked
    studies, experiments, domains, architectures : dicts by name, as built from it
    """
    lines = [
        f"domains.{name}: {line}"
        for name, domain in domains.items()
        if isinstance(domain, DataSet) and "path" in config["domains"][name]
        for line in domain.understood.lines  # its remarks are warnings
    ]
    for name, study in studies.items():
        unused = [key for key in ("network_sizes", "network_seeds", "training") if key in config["studies"][name]]
        if unused and not study.widths:
            lines.append(f"studies.{name}: {', '.join(unused)} without widths: no networks are trained")
        networks = {key: architectures[key] for key in study.architectures}
        lines += _of_targets(f"studies.{name}", study.targets, domains[study.domain_name], networks)
    for name, entry in experiments.items():
        for options, _ in entry.cells.values():
            domain = next((d for key, d in domains.items() if config["domains"][key] == options.get("domain")), None)
            asked = options.get("architecture")
            networks = {key: a for key, a in architectures.items() if config["architectures"][key] == asked}
            networks |= {key: architecture_from(one) for key, one in candidates_in(options).items()}
            if domain is not None:
                lines += _of_targets(f"experiments.{name}", targets_in(options), domain, networks)
    return [*dict.fromkeys(lines)]


def _of_targets(where: str, targets: Mapping[str, Entry], domain: Domain, networks: Mapping[str, Kernel]) -> list[str]:
    lines = []
    for label, target in targets.items():
        labels = target_from(domain, target)(*domain.evaluation())
        odd = [name for name, network in networks.items() if misses_the_mean(network, labels)]
        lines += [f"{where}: {remark(odd, label)}"] if odd else []
    return lines
