"""How every script of the pipeline runs: its messages go to the rule's log, its errors say what to do.

The log also says what the job cost: seconds of CPU until its script began (Python, Snakemake's preamble, imports), and until
its end.
"""

import logging
import sys
import traceback
from inspect import signature
from time import process_time


def run(main, snakemake):
    """Call `main` with the rule's inputs, params and outputs by name; it takes the ones that it names."""
    log = snakemake.log[0]
    logging.basicConfig(filename=log, filemode="w", level=logging.INFO, format="%(asctime)s %(message)s")
    logging.info("began after %.3f s of CPU", process_time())
    given = {**dict(snakemake.params.items()), **dict(snakemake.output.items())}
    given |= {name: value for name, value in snakemake.input.items() if name not in ("code", "data")}
    given |= {"threads": snakemake.threads, "gpu": snakemake.resources.get("gpu", 0)}
    try:
        main(**{name: given[name] for name in signature(main).parameters})
    except KeyboardInterrupt:
        sys.exit(f"{snakemake.rule}: interrupted, nothing half done is left")
    except Exception as error:
        logging.error("%s", traceback.format_exc())
        sys.exit(f"{snakemake.rule}: {type(error).__name__}: {error}\n(the whole story: {log})")
    logging.info("done after %.3f s of CPU", process_time())
