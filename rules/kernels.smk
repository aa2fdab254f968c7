rule kernel:
    input:
        code=code("build_kernel.py"),
        data=data_of_kernel,
    output:
        values="results/kernels/{domain}/{architecture}{suffix}.h5",
    log:
        "logs/kernels/{domain}/{architecture}{suffix}.log",
    benchmark:
        "results/benchmarks/jobs/kernels/{domain}/{architecture}{suffix}.tsv"
    wildcard_constraints:
        suffix=r"|\+nngp",
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=doubled(of_domain(requests.kernel_mb)),
        runtime=minutes(of_domain(requests.spectrum_seconds)),
    params:
        domain=lambda wildcards: config["domains"][wildcards.domain],
        architecture=of_architecture,
        kernel=lambda wildcards: wildcards.suffix.removeprefix("+") or "ntk",
    message:
        "Kernel of {wildcards.architecture} on {wildcards.domain}"
    script:
        "../scripts/build_kernel.py"
