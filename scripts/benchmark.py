"""`make benchmark`: how fast everything is on this machine, into results/benchmarks/.

`python scripts/benchmark.py --gpu FOLDER` writes one page about a GPU, FOLDER/gpu.md, within eight minutes. It needs PyTorch,
NumPy, SciPy and h5py, no installation and no network.
"""

import argparse
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpu", metavar="FOLDER", type=Path, help="write one page about the GPU into FOLDER")
    parser.add_argument("--minutes", type=float, default=8.0, help="time limit of that page")
    given = parser.parse_args()
    if given.gpu is None:
        from benchmarks.machine import write_summary

        write_summary(Path("results/benchmarks"))
    else:
        from benchmarks.gpu import write_page

        print(write_page(given.gpu, given.minutes))


if __name__ == "__main__":
    main()
