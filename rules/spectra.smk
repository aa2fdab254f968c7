rule spectrum:
    input:
        unpack(inputs_of("spectrum")),
    output:
        **KINDS["spectrum"].outputs,
    log:
        KINDS["spectrum"].log,
    benchmark:
        KINDS["spectrum"].benchmark
    conda:
        "../envs/environment.yaml"
    threads: threads_of("spectrum")
    resources:
        **resources_of("spectrum"),
    params:
        parameters=parameters_of("spectrum"),
        code=code_of("spectrum"),
    message:
        message_of("spectrum")
    script:
        "../scripts/decompose_kernel.py"
