"""`make benchmark`: how fast everything is on this machine, into results/benchmarks/.

`python scripts/benchmark.py --gpu FOLDER` writes one page about a GPU, FOLDER/gpu.md, within eight minutes. It needs PyTorch,
NumPy, SciPy, h5py, jaxtyping and threadpoolctl, no installation and no network. `python scripts/benchmark.py --jobs logs` tells
where the core time of the last run went, and `--ranking FOLDER` what `learnability select` costs.
"""

import argparse
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
    arguments = parser.parse_args()
    if arguments.gpu is not None:
        from benchmarks.gpu import write_page

        print(write_page(arguments.gpu, arguments.minutes))
    elif arguments.jobs is not None:
        from benchmarks.jobs import by_part, overhead
        from benchmarks.measured import markdown

        rows = by_part(arguments.jobs)
        print(f"{markdown(rows)}\n\n{100 * overhead(rows):.1f} % is not mathematics.")
    elif arguments.ranking is not None:
        from benchmarks.measured import markdown
        from benchmarks.ranking import ranking

        print(markdown(ranking(arguments.ranking)))
    else:
        from benchmarks.machine import write_summary

        write_summary(Path("results/benchmarks"))


if __name__ == "__main__":
    main()
