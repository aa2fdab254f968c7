# Memory and time that a job asks for (learnability.studies.requests); each retry asks for twice as much as the try before.

from snakemake.exceptions import WorkflowError

from learnability.studies import requests

BASE_MINUTES = 15
MARGIN = 20  # times what is estimated for a recent processor


def doubled(amount):
    """A resource function: an amount, or a function of the wildcards, times 1, 2, 4 ... at the tries of a job."""

    def resource(wildcards, attempt):
        return int(amount(wildcards) if callable(amount) else amount) * 2 ** (attempt - 1)

    return resource


def minutes(seconds):
    """A resource function from a function (wildcards) -> estimated seconds."""
    return doubled(lambda wildcards: BASE_MINUTES + MARGIN * seconds(wildcards) / 60)


def of_domain(request):
    """A function of the wildcards from one of a domain's size."""
    return lambda wildcards: request(SIZES.domains[wildcards.domain])


def of_study_and_domain(request):
    """A function of the wildcards from one of a study and its domain's size."""

    def amount(wildcards):
        study = STUDIES[wildcards.study]
        return request(study, SIZES.domains[study.domain_name])

    return amount


def network_mb(wildcards):
    study, *job = training_job(wildcards)
    return requests.networks_mb(study, SIZES.domains[study.domain_name], *job)


def time_of_networks(wildcards):
    return requests.networks_seconds(*training_job(wildcards))


def cell_mb(wildcards):
    return requests.cell_mb(EXPERIMENTS[wildcards.experiment], wildcards.cell, SIZES)


def training_job(wildcards):
    """The study, the architecture, the width, the training-set sizes and the number of seeds of a training job."""
    seeds = int(wildcards.last) - int(wildcards.first) + 1
    return STUDIES[wildcards.study], wildcards.architecture, int(wildcards.width), sizes_of_networks(wildcards), seeds


def sizes_of_networks(wildcards):
    """The training-set sizes of a training job."""
    sizes = STUDIES[wildcards.study].sizes_between(int(wildcards.smallest), int(wildcards.largest))
    if not sizes:
        raise WorkflowError(
            f"study {wildcards.study} trains nothing with n = {wildcards.smallest} to {wildcards.largest}"
        )
    return sizes
