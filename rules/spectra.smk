rule spectrum:
    message:
        "Spectrum of {wildcards.architecture} on {wildcards.domain}"
    input:
        code=code("decompose_kernel.py"),
        values="results/kernels/{domain}/{architecture}{suffix}.h5",
    output:
        eigenvalues="results/spectra/{domain}/{architecture}{suffix}.h5",
    params:
        domain=lambda wildcards: config["domains"][wildcards.domain],
    wildcard_constraints:
        suffix="|-nngp",
    log:
        "logs/spectra/{domain}/{architecture}{suffix}.log",
    benchmark:
        "results/benchmarks/jobs/spectra/{domain}/{architecture}{suffix}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    conda:
        "../envs/environment.yaml"
    script:
        "../scripts/decompose_kernel.py"
