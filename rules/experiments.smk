rule cell:
    input:
        code=lambda wildcards: code("run_experiment.py", EXPERIMENT_MODULES[EXPERIMENTS[wildcards.experiment].kind]),
        data=data_of_cell,
        values=cell_files("kernels", "values"),
        eigenvalues=cell_files("spectra", "eigenvalues"),
    output:
        cell="results/experiments/{experiment}/{cell}.h5",
    log:
        "logs/experiments/{experiment}/{cell}.log",
    benchmark:
        "results/benchmarks/jobs/experiments/{experiment}/{cell}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=doubled(cell_mb),
        runtime=doubled(60),
        gpu=lambda wildcards: config["training"]["gpus"] if options_of_cell(wildcards).get("width") else 0,
    params:
        kind=lambda wildcards: EXPERIMENTS[wildcards.experiment].kind,
        options=options_of_cell,
        labels=lambda wildcards: EXPERIMENTS[wildcards.experiment].cells[wildcards.cell][1],
    message:
        "{wildcards.experiment}: {wildcards.cell}"
    script:
        "../scripts/run_experiment.py"


rule join_experiment:
    input:
        code=code("join_experiment.py"),
        cells=lambda wildcards: expand(
            "results/experiments/{experiment}/{cell}.h5",
            experiment=wildcards.experiment,
            cell=EXPERIMENTS[wildcards.experiment].cells,
        ),
    output:
        csv=report("results/studies/{experiment}.csv", "../report/table.rst", "{experiment}", labels={"": "table"}),
        h5="results/studies/{experiment}.h5",
    log:
        "logs/join/{experiment}.log",
    benchmark:
        "results/benchmarks/jobs/join/{experiment}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        name=lambda wildcards: wildcards.experiment,
    message:
        "Table of {wildcards.experiment}"
    script:
        "../scripts/join_experiment.py"
