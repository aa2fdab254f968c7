rule cell:
    input:
        unpack(inputs_of("cell")),
    output:
        **KINDS["cell"].outputs,
    log:
        KINDS["cell"].log,
    benchmark:
        KINDS["cell"].benchmark
    conda:
        "../envs/environment.yaml"
    threads: threads_of("cell")
    resources:
        **resources_of("cell"),
    params:
        parameters=parameters_of("cell"),
        code=code_of("cell"),
    message:
        message_of("cell")
    script:
        "../scripts/run_experiment.py"


rule join_experiment:
    input:
        unpack(inputs_of("join_experiment")),
    output:
        csv=report(
            KINDS["join_experiment"].outputs["csv"], "../report/table.rst", "Tables", labels={"study": "{experiment}"}
        ),
        h5=KINDS["join_experiment"].outputs["h5"],
    log:
        KINDS["join_experiment"].log,
    benchmark:
        KINDS["join_experiment"].benchmark
    conda:
        "../envs/environment.yaml"
    threads: threads_of("join_experiment")
    resources:
        **resources_of("join_experiment"),
    params:
        parameters=parameters_of("join_experiment"),
        code=code_of("join_experiment"),
    message:
        message_of("join_experiment")
    script:
        "../scripts/join_experiment.py"
