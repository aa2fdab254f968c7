rule kernel:
    message:
        "Kernel of {wildcards.architecture} on {wildcards.domain}"
    input:
        code=code("build_kernel.py"),
    output:
        values="results/kernels/{domain}/{architecture}{suffix}.h5",
    params:
        domain=lambda wildcards: config["domains"][wildcards.domain],
        architecture=of_architecture,
        kernel=lambda wildcards: wildcards.suffix.removeprefix("-") or "ntk",
    wildcard_constraints:
        suffix="|-nngp",
    log:
        "logs/kernels/{domain}/{architecture}{suffix}.log",
    benchmark:
        "results/benchmarks/jobs/kernels/{domain}/{architecture}{suffix}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    conda:
        "../envs/environment.yaml"
    script:
        "../scripts/build_kernel.py"
