rule join:
    input:
        code=code("join_study.py"),
        theory=lambda wildcards: [*experiment_files(wildcards.study, "theory")],
        regression=lambda wildcards: [*experiment_files(wildcards.study, "regression")],
        networks=lambda wildcards: [*experiment_files(wildcards.study, "networks")],
    output:
        csv="results/studies/{study}.csv",
        h5="results/studies/{study}.h5",
    log:
        "logs/join/{study}.log",
    benchmark:
        "results/benchmarks/jobs/join/{study}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        study=lambda wildcards: wildcards.study,
        parts=lambda wildcards: {
            kind: [*experiment_files(wildcards.study, kind).values()] for kind in ("theory", "regression", "networks")
        },
    message:
        "Table of {wildcards.study}"
    script:
        "../scripts/join_study.py"


rule agreement:
    input:
        code=code("measure_agreement.py"),
        tables=expand("results/studies/{study}.csv", study=sorted(STUDIES)),
    output:
        agreements="results/agreement.csv",
    log:
        "logs/agreement.log",
    benchmark:
        "results/benchmarks/jobs/agreement.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        studies=sorted(STUDIES),
    message:
        "Agreement of theory and experiment"
    script:
        "../scripts/measure_agreement.py"


rule figure:
    input:
        code=lambda wildcards: code("draw_figure.py", FIGURES[STUDIES[wildcards.study].figure]),
        table="results/studies/{study}.csv",
    output:
        pdf="results/figures/{study}.pdf",
        svg="results/figures/{study}.svg",
        png="results/figures/{study}.png",
    log:
        "logs/figures/{study}.log",
    benchmark:
        "results/benchmarks/jobs/figures/{study}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        figure=of_study("figure"),
        options=of_study("options"),
    message:
        "Figure of {wildcards.study}"
    script:
        "../scripts/draw_figure.py"


rule figures:
    input:
        expand("results/figures/{study}.png", study=STUDIES),


rule tables:
    input:
        expand("results/studies/{study}.csv", study=STUDIES),
