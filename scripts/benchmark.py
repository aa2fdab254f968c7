"""`make benchmark`: how fast everything is on this machine, beside docs/benchmarks, into results/benchmarks/.

`python scripts/benchmark.py --save`, or `make benchmark SAVE=1`, also writes docs/benchmarks/PROCESSOR.csv, to be committed:
later runs on this kind of processor are compared with it. `--gpu FOLDER` writes one page about a GPU, FOLDER/gpu.md, within
eight minutes; it needs PyTorch, NumPy, SciPy, h5py, jaxtyping and threadpoolctl, no installation and no network. `--jobs logs`
tells where the core time of the last run went, `--progress .snakemake/log/RUN.log` how right it was about the time left, and
`--ranking FOLDER` what `learnability select` costs. `--sweep` trains forty jobs of a sweep of 10,080 networks, five minutes of
processor time, beside what its plan expects of them.
"""

import argparse
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the library of this checkout, whichever one is installed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpu", metavar="FOLDER", type=Path, help="write one page about the GPU into FOLDER")
    parser.add_argument("--minutes", type=float, default=8.0, help="time limit of that page")
    parser.add_argument(
        "--jobs", metavar="LOGS", type=Path, help="print the core time by part of the run with these logs"
    )
    parser.add_argument("--ranking", metavar="FOLDER", type=Path, help="print what select costs; tables go to FOLDER")
    parser.add_argument(
        "--save", action="store_true", help="keep the times in docs/benchmarks, with which later runs are compared"
    )
    parser.add_argument("--progress", metavar="LOG", type=Path, help="compare what a run said of its end with the end")
    parser.add_argument("--sweep", action="store_true", help="compare what a plan of a sweep expects with its jobs")
    arguments = parser.parse_args()
    if arguments.gpu is not None:
        from benchmarks.gpu import write_page

        print(write_page(arguments.gpu, arguments.minutes))
    elif arguments.jobs is not None:
        from benchmarks.jobs import by_part, overhead
        from benchmarks.measured import markdown

        rows = by_part(arguments.jobs)
        print(f"{markdown(rows)}\n\n{100 * overhead(rows):.1f} % is not mathematics.")
    elif arguments.progress is not None:
        from benchmarks.measured import markdown
        from benchmarks.progress import progress

        print(markdown(progress(arguments.progress)))
    elif arguments.ranking is not None:
        from benchmarks.measured import markdown
        from benchmarks.ranking import ranking

        print(markdown(ranking(arguments.ranking)))
    elif arguments.sweep:
        from benchmarks.measured import markdown, within
        from benchmarks.sweep import sweep

        rows = sweep()
        print(f"{markdown(rows)}\n\n{within(rows[:-1])} of {len(rows) - 1} jobs are within a factor of 1.5.")
    else:
        from benchmarks.compared import COMMITTED
        from benchmarks.machine import write_summary

        times = write_summary(Path("results/benchmarks"))
        if arguments.save:
            COMMITTED.mkdir(parents=True, exist_ok=True)
            print(f"kept as {shutil.copy(times, COMMITTED)}")


if __name__ == "__main__":
    main()
