PAGES = sorted(
    path for path in (ROOT / "learnability" / "explorer").iterdir() if path.suffix in (".html", ".js", ".json")
)


rule explorer:
    input:
        unpack(inputs_of("explorer")),
        page=[str(path) for path in PAGES],
    output:
        html=report(KINDS["explorer"].outputs["html"], "../report/explorer.rst", "Explorer", labels={"page": "results"}),
        predict=report(
            KINDS["explorer"].outputs["predict"], "../report/predict.rst", "Explorer", labels={"page": "predict"}
        ),
    log:
        KINDS["explorer"].log,
    benchmark:
        KINDS["explorer"].benchmark
    conda:
        "../envs/environment.yaml"
    threads: threads_of("explorer")
    resources:
        **resources_of("explorer"),
    params:
        parameters=parameters_of("explorer"),
        code=code_of("explorer"),
    message:
        message_of("explorer")
    script:
        "../scripts/write_explorer.py"
