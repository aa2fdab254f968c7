rule kernel:
    input:
        unpack(inputs_of("kernel")),
    output:
        **KINDS["kernel"].outputs,
    log:
        KINDS["kernel"].log,
    benchmark:
        KINDS["kernel"].benchmark
    conda:
        "../envs/environment.yaml"
    threads: threads_of("kernel")
    resources:
        **resources_of("kernel"),
    params:
        parameters=parameters_of("kernel"),
        code=code_of("kernel"),
    message:
        message_of("kernel")
    script:
        "../scripts/build_kernel.py"
