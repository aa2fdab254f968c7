rule join:
    input:
        unpack(inputs_of("join")),
    output:
        csv=report(KINDS["join"].outputs["csv"], "../report/table.rst", "Tables", labels={"study": "{study}"}),
        h5=KINDS["join"].outputs["h5"],
    log:
        KINDS["join"].log,
    benchmark:
        KINDS["join"].benchmark
    conda:
        "../envs/environment.yaml"
    threads: threads_of("join")
    resources:
        **resources_of("join"),
    params:
        parameters=parameters_of("join"),
        parts=parts_of("join"),
        code=code_of("join"),
    message:
        message_of("join")
    script:
        "../scripts/join_study.py"


rule agreement:
    input:
        unpack(inputs_of("agreement")),
    output:
        agreements=report(
            KINDS["agreement"].outputs["agreements"], "../report/agreement.rst", "Agreement", labels={"": "table"}
        ),
        summary=KINDS["agreement"].outputs["summary"],
    log:
        KINDS["agreement"].log,
    benchmark:
        KINDS["agreement"].benchmark
    conda:
        "../envs/environment.yaml"
    threads: threads_of("agreement")
    resources:
        **resources_of("agreement"),
    params:
        parameters=parameters_of("agreement"),
        code=code_of("agreement"),
    message:
        message_of("agreement")
    script:
        "../scripts/measure_agreement.py"


rule figure:
    input:
        unpack(inputs_of("figure")),
    output:
        pdf=KINDS["figure"].outputs["pdf"],
        svg=KINDS["figure"].outputs["svg"],
        png=report(KINDS["figure"].outputs["png"], "../report/figure.rst", "Studies", labels={"study": "{drawn}"}),
        caption=KINDS["figure"].outputs["caption"],
    log:
        KINDS["figure"].log,
    benchmark:
        KINDS["figure"].benchmark
    conda:
        "../envs/environment.yaml"
    threads: threads_of("figure")
    resources:
        **resources_of("figure"),
    params:
        parameters=parameters_of("figure"),
        code=code_of("figure"),
    message:
        message_of("figure")
    script:
        "../scripts/draw_figure.py"


rule figures:
    input:
        expand(KINDS["figure"].outputs["png"], drawn=PLAN.drawn),


rule tables:
    input:
        expand(KINDS["join"].outputs["csv"], study=PLAN.drawn),
