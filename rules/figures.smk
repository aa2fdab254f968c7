rule join:
    input:
        code=code("join_study.py"),
        theory=lambda wildcards: [*experiment_files(wildcards.study, "theory")],
        regression=lambda wildcards: [*experiment_files(wildcards.study, "regression")],
        networks=lambda wildcards: [*experiment_files(wildcards.study, "networks")],
    output:
        csv=report("results/studies/{study}.csv", "../report/table.rst", "{study}", labels={"": "table"}),
        h5="results/studies/{study}.h5",
    log:
        "logs/join/{study}.log",
    benchmark:
        "results/benchmarks/jobs/join/{study}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=doubled(4000),
        runtime=doubled(30),
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
        tables=expand("results/studies/{drawn}.h5", drawn=COMPARED),
    output:
        agreements=report("results/agreement.csv", "../report/agreement.rst", "agreement", labels={"": "table"}),
    log:
        "logs/agreement.log",
    benchmark:
        "results/benchmarks/jobs/agreement.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=doubled(4000),
        runtime=doubled(30),
    params:
        studies=COMPARED,
    message:
        "Agreement of theory and experiment"
    script:
        "../scripts/measure_agreement.py"


rule figure:
    input:
        code=lambda wildcards: code("draw_figure.py", FIGURES[drawn(wildcards).figure]),
        table="results/studies/{drawn}.h5",
    output:
        pdf="results/figures/{drawn}.pdf",
        svg="results/figures/{drawn}.svg",
        png=report("results/figures/{drawn}.png", "../report/figure.rst", "{drawn}", labels={"": "figure"}),
        caption="results/figures/{drawn}.rst",
    log:
        "logs/figures/{drawn}.log",
    benchmark:
        "results/benchmarks/jobs/figures/{drawn}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=doubled(2000),
        runtime=doubled(30),
    params:
        name=lambda wildcards: wildcards.drawn,
        figure=lambda wildcards: drawn(wildcards).figure,
        settings=lambda wildcards: drawn(wildcards).settings(),
        options=lambda wildcards: drawn(wildcards).figure_options,
    message:
        "Figure of {wildcards.drawn}"
    script:
        "../scripts/draw_figure.py"


rule figures:
    input:
        expand("results/figures/{drawn}.png", drawn=[*STUDIES, *EXPERIMENTS]),


rule tables:
    input:
        expand("results/studies/{drawn}.csv", drawn=[*STUDIES, *EXPERIMENTS]),
