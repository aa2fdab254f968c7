rule explorer:
    input:
        unpack(inputs_of("explorer")),
        page=str(ROOT / "learnability" / "explorer" / "page.html"),
    output:
        html=report(KINDS["explorer"].outputs["html"], "../report/explorer.rst", "explorer", labels={"": "page"}),
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
