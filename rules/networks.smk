rule networks:
    input:
        code=code("train_networks.py"),
        data=data_of_study,
    output:
        functions="results/networks/{study}/{architecture}/width{width}/n{smallest}-{largest}/seeds{first}-{last}.h5",
    log:
        "logs/networks/{study}/{architecture}/width{width}/n{smallest}-{largest}/seeds{first}-{last}.log",
    benchmark:
        "results/benchmarks/jobs/networks/{study}/{architecture}/width{width}/n{smallest}-{largest}/seeds{first}-{last}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: lambda wildcards: STUDIES[wildcards.study].training["threads"]
    resources:
        mem_mb=doubled(network_mb),
        runtime=minutes(time_of_networks),
        gpu=lambda wildcards: STUDIES[wildcards.study].training["gpus"],
    params:
        domain=of_study("domain"),
        architecture=of_architecture,
        targets=of_study("targets"),
        noise_stds=of_study("noise_stds"),
        train_sizes=sizes_of_networks,
        width=lambda wildcards: int(wildcards.width),
        first=lambda wildcards: int(wildcards.first),
        last=lambda wildcards: int(wildcards.last),
        training=lambda wildcards: STUDIES[wildcards.study].training_options(),
    message:
        "Networks {wildcards.architecture}, width {wildcards.width}, n = {wildcards.smallest} to {wildcards.largest}, seeds {wildcards.first}-{wildcards.last} for {wildcards.study}"
    script:
        "../scripts/train_networks.py"
