"""From architectures to kernels, spectra, predictions, trained networks, tables and figures."""

from snakemake.utils import min_version

min_version("9.0")


report: "report/workflow.rst"


# A configuration file given on the command line takes the place of the default one; of several, later ones win.
if not workflow.config_settings.configfiles:

    configfile: Path(workflow.basedir) / "config" / "config.yaml"


include: "rules/common.smk"
include: "rules/kernels.smk"
include: "rules/spectra.smk"
include: "rules/theory.smk"
include: "rules/regression.smk"
include: "rules/networks.smk"
include: "rules/experiments.smk"
include: "rules/figures.smk"
include: "rules/report.smk"


localrules:
    all,
    figures,
    tables,


rule all:
    default_target: True
    input:
        rules.figures.input,
        rules.tables.input,
        rules.agreement.output if PLAN.compared else [],


onstart:
    tell_progress()


onsuccess:
    logger.info("Figures are in results/figures/, tables in results/studies/, agreement in results/agreement.csv.")
    if Path("results/agreement.csv").is_file():
        for line in headlines(read_table("results/agreement.csv")):
            logger.info(line)
    with replacing("logs/snakemake.log") as partial:
        partial.write_text(f"done after {time.process_time():.3f} s of CPU\n")
    for name in filter(lambda name: Path(f"results/studies/{name}.csv").is_file(), PLAN.rankings):
        for line in recommendation(read_table(f"results/studies/{name}.csv")):
            logger.info(f"{name}: {line}")


onerror:
    logger.error(
        "What is finished stays in results/: the same command goes on from there. Failed jobs name their logs above."
    )
