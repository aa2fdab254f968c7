rule spectrum:
    input:
        code=code("decompose_kernel.py"),
        data=data_of_domain,
        values="results/kernels/{domain}/{architecture}{suffix}.h5",
    output:
        eigenvalues="results/spectra/{domain}/{architecture}{suffix}.h5",
    log:
        "logs/spectra/{domain}/{architecture}{suffix}.log",
    benchmark:
        "results/benchmarks/jobs/spectra/{domain}/{architecture}{suffix}.tsv"
    wildcard_constraints:
        suffix=r"|\+nngp",
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=doubled(of_domain(requests.spectrum_mb)),
        runtime=minutes(of_domain(requests.spectrum_seconds)),
    params:
        domain=lambda wildcards: config["domains"][wildcards.domain],
    message:
        "Spectrum of {wildcards.architecture} on {wildcards.domain}"
    script:
        "../scripts/decompose_kernel.py"
