rule regression:
    input:
        unpack(inputs_of("regression")),
    output:
        **KINDS["regression"].outputs,
    log:
        KINDS["regression"].log,
    benchmark:
        KINDS["regression"].benchmark
    conda:
        "../envs/environment.yaml"
    threads: threads_of("regression")
    resources:
        **resources_of("regression"),
    params:
        parameters=parameters_of("regression"),
        code=code_of("regression"),
    message:
        message_of("regression")
    script:
        "../scripts/run_regression.py"
