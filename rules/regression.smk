rule regression:
    input:
        code=code("run_regression.py"),
        data=data_of_study,
        values=kernel_files("kernels"),
    output:
        functions="results/regression/{study}/{architecture}.h5",
    log:
        "logs/regression/{study}/{architecture}.log",
    benchmark:
        "results/benchmarks/jobs/regression/{study}/{architecture}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=doubled(of_study_and_domain(requests.regression_mb)),
        runtime=minutes(of_study_and_domain(requests.regressions_seconds)),
    params:
        domain=of_study("domain"),
        architecture=of_architecture,
        kernel=of_study("kernel"),
        targets=of_study("targets"),
        train_sizes=of_study("train_sizes"),
        ridges=of_study("ridges"),
        noise_stds=of_study("noise_stds"),
        seeds=of_study("seeds"),
    message:
        "Kernel regression of {wildcards.architecture} for {wildcards.study}"
    script:
        "../scripts/run_regression.py"
