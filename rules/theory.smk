rule theory:
    input:
        code=code("predict_theory.py"),
        data=data_of_study,
        values=kernel_files("kernels"),
        eigenvalues=kernel_files("spectra"),
    output:
        predictions="results/theory/{study}/{architecture}.h5",
    log:
        "logs/theory/{study}/{architecture}.log",
    benchmark:
        "results/benchmarks/jobs/theory/{study}/{architecture}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=doubled(of_study_and_domain(requests.theory_mb)),
        runtime=minutes(of_study_and_domain(requests.theory_seconds)),
    params:
        domain=of_study("domain"),
        targets=of_study("targets"),
        train_sizes=lambda wildcards: STUDIES[wildcards.study].theory_sizes().tolist(),
        sample_sizes=lambda wildcards: STUDIES[wildcards.study].sample_theory_sizes().tolist(),
        ridges=of_study("ridges"),
        noise_stds=of_study("noise_stds"),
        population=of_study("population"),
    message:
        "Theory of {wildcards.architecture} for {wildcards.study}"
    script:
        "../scripts/predict_theory.py"
