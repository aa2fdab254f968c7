rule explorer:
    input:
        code=code("write_explorer.py"),
        page=str(ROOT / "learnability" / "explorer" / "page.html"),
        tables=expand("results/studies/{study}.h5", study=STUDIES),
    output:
        html=report("results/explorer.html", "../report/explorer.rst", "explorer", labels={"": "page"}),
    log:
        "logs/explorer.log",
    benchmark:
        "results/benchmarks/jobs/explorer.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=doubled(4000),
        runtime=doubled(30),
    params:
        studies=[*STUDIES],
    message:
        "Explorer page"
    script:
        "../scripts/write_explorer.py"
