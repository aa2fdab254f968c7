rule networks:
    input:
        unpack(inputs_of("networks")),
    output:
        **KINDS["networks"].outputs,
    log:
        KINDS["networks"].log,
    benchmark:
        KINDS["networks"].benchmark
    conda:
        "../envs/environment.yaml"
    threads: threads_of("networks")
    resources:
        **resources_of("networks"),
    params:
        parameters=parameters_of("networks"),
        code=code_of("networks"),
    message:
        message_of("networks")
    script:
        "../scripts/train_networks.py"
