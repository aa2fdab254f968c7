rule theory:
    input:
        unpack(inputs_of("theory")),
    output:
        **KINDS["theory"].outputs,
    log:
        KINDS["theory"].log,
    benchmark:
        KINDS["theory"].benchmark
    conda:
        "../envs/environment.yaml"
    threads: threads_of("theory")
    resources:
        **resources_of("theory"),
    params:
        parameters=parameters_of("theory"),
        code=code_of("theory"),
    message:
        message_of("theory")
    script:
        "../scripts/predict_theory.py"
