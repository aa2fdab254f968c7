"""One machine gives the same bytes with any number of threads; OpenBLAS's code for other processors gives the same to 1e-10."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, get_ident

import numpy as np
import pytest
import scipy.linalg  # noqa: F401  SciPy brings a BLAS of its own, which is limited only once it is loaded
import torch
from threadpoolctl import threadpool_info, threadpool_limits

import learnability as lb
from learnability.common.threads import in_parallel, one_thread
from learnability.regression.cross_validation import estimate
from learnability.sklearn import NTKRegressor

ROOT = Path(__file__).parents[1]
RELU, ERF = lb.FullyConnected(2, "relu", 1.4, 0.1), lb.FullyConnected(1, "erf", 1.4, 0.1)
RNG = np.random.default_rng(0)
X, Y, MANY = RNG.standard_normal((240, 12)), RNG.standard_normal((240, 2)), RNG.standard_normal((1500, 12))
CUBE, SPHERE, DATA = lb.Hypercube(dim=7), lb.Hypersphere(dim=6), lb.Samples(X, Y)
GRID = {"train_size": [20, 60], "ridge": np.array([[0.0], [0.3]]), "noise_std": 0.2}


def spectrum_of(domain):
    spectrum = domain.spectrum(RELU)
    parts = spectrum.eigenvalues, spectrum.multiplicities, spectrum.eigenvectors
    return [part for part in parts if part is not None]


def predicted(domain, target, **options):
    prediction = lb.predict(domain.spectrum(RELU), target, **GRID, **options)
    return prediction.test_mse, prediction.learnability, prediction.coefficient_variance


def of_samples():
    prediction = lb.predict_samples(RELU.kernel(X), Y, **GRID)
    return prediction.off_train_errors, prediction.kappas, prediction.residual


def by_quadrature(**options):
    large = lb.large_spectrum(RELU, MANY[:600], MANY[:600, 0], seed=1, **options)
    return large.spectrum.eigenvalues, large.target.power


def ranked():
    ranking = lb.select(DATA, {"relu": RELU, "erf": ERF}, DATA.target(Y), [20, 60], ridges=[0.1])
    return [ranking.table.select_dtypes("number").to_numpy()]


def trained(method, **options):
    result = lb.train(ERF, 96, X[:60], Y[:60], X, range(5), method=method, max_steps=20, **options)
    return result.predictions, result.train_mse, result.steps


COMPUTATIONS = {
    "kernel": lambda: [RELU.kernel(MANY), ERF.kernel(X, MANY)],
    "radial": lambda: [lb.Matern(2.0, 1.5).kernel(X, MANY)],
    "data": lambda: spectrum_of(DATA),
    "cube": lambda: spectrum_of(CUBE),
    "sphere": lambda: spectrum_of(SPHERE),
    "quadrature": lambda: by_quadrature(probes=4, steps=5),
    "nystrom": lambda: by_quadrature(method="nystrom", landmarks=200),
    "hermite ansatz": lambda: [lb.hermite_ansatz(ERF, X, Y[:, 0], modes=500, mixed=200)[0].eigenvalues],
    "learning curve": lambda: [lb.learning_curve(DATA, RELU, DATA.target(Y), **GRID).test_mse_off_train],
    "theory": lambda: predicted(CUBE, CUBE.parity(2)),
    "theory on data": lambda: predicted(DATA, DATA.target(Y)),
    "samples": of_samples,
    "covariance": lambda: [lb.coefficient_covariance(CUBE, CUBE.spectrum(RELU), CUBE.parity(2), 30, ridge=0.1)],
    "regression": lambda: [lb.kernel_regression(RELU, X[:150], Y[:150], X, ridge=0.1)],
    "singular regression": lambda: [lb.kernel_regression(RELU, X[[*range(150), 0]], Y[:151], X)],
    "estimates": lambda: [estimate(RELU.kernel(X), Y, 0.1).leave_one_out],
    "scikit-learn": lambda: [*NTKRegressor(ridge=0.1).fit(X, Y).predict(X, return_std=True)],
    "ranking": ranked,
    "flow": lambda: trained("gradient_flow"),
    "flow, one network a block": lambda: trained("gradient_flow", memory=1),
    "descent": lambda: trained("gradient_descent"),
    "SGD": lambda: trained("sgd", batch_size=7),
    "Adam": lambda: trained("adam", batch_size=7),
}


@pytest.fixture
def threads():
    """A function that gives BLAS and PyTorch so many threads, for the length of a test."""
    before, limits = torch.get_num_threads(), threadpool_limits(None)

    def use(number):
        torch.set_num_threads(number)
        threadpool_limits(number)

    yield use
    torch.set_num_threads(before)
    limits.restore_original_limits()


def in_use():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.mark.parametrize("name", COMPUTATIONS)
def test_the_number_of_threads_changes_no_byte(name, threads):
    results = []
    for number in (1, 3):
        threads(number)
        results.append([np.asarray(array).tobytes() for array in COMPUTATIONS[name]()])
        assert torch.get_num_threads() == number and in_use() == {number}  # as it was
    assert results[0] == results[1]


def test_threads_are_restored_when_the_last_user_leaves(threads):
    threads(2)
    inside, outside = Barrier(2, timeout=60), Barrier(2, timeout=60)

    def short():
        with one_thread:
            inside.wait()
        outside.wait()

    def long():
        with one_thread:
            inside.wait()
            outside.wait()
            return torch.get_num_threads(), in_use()

    with ThreadPoolExecutor(2) as pool:
        pool.submit(short)
        assert pool.submit(long).result() == (1, {1})
    assert torch.get_num_threads() == 2 and in_use() == {2}


def test_an_error_restores_the_threads(threads):
    threads(2)
    with pytest.raises(ValueError, match="train_size"):
        lb.predict_samples(np.eye(3), np.ones(3), 4)
    assert torch.get_num_threads() == 2 and in_use() == {2}


def test_parts_are_computed_at_once_each_with_one_thread(threads):
    threads(2)
    meeting = Barrier(2, timeout=60)

    def part(number):
        meeting.wait()
        nested = in_parallel(lambda _: get_ident(), range(3))
        return number, torch.get_num_threads(), set(nested) == {get_ident()}

    assert in_parallel(part, range(4)) == [(number, 1, True) for number in range(4)]


def test_the_error_of_a_task_is_raised_once_none_runs_any_more(threads):
    """And its workers, which stay, take the next tasks."""
    threads(2)
    running = []

    def part(number):
        running.append(number)
        if number in (1, 2):
            raise ValueError(f"task {number}")
        running.remove(number)

    with pytest.raises(ValueError, match="task [12]"):
        in_parallel(part, range(200))
    assert set(running) <= {1, 2}
    assert in_parallel(abs, range(3)) == [0, 1, 2]


# What a process does on an older processor, and on one with AVX-512 (OpenBLAS, PyTorch and MKL have code for each).
PROCESSORS = {
    "Haswell": {"OPENBLAS_CORETYPE": "Haswell", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "SkylakeX": {"OPENBLAS_CORETYPE": "SkylakeX"},
}
OF_PROCESSORS = ["kernel", "radial", "data", "cube", "sphere", "theory", "theory on data", "samples", "covariance"]


@pytest.fixture(scope="module")
def by_processor(tmp_path_factory):
    """{processor: [computed in a process with one thread, and with two]}, each a dict of arrays."""
    processors = [name for name in PROCESSORS if name != "SkylakeX" or "avx512dq" in Path("/proc/cpuinfo").read_text()]
    computed = {}
    for processor in processors:
        for number in ("1", "2"):
            path = tmp_path_factory.mktemp("computed") / "numbers.npz"
            environment = {**os.environ, **PROCESSORS[processor], "PYTHONPATH": str(ROOT)}
            environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), number)
            subprocess.run([sys.executable, __file__, path], env=environment, check=True, timeout=300)
            with np.load(path) as arrays:
                computed.setdefault(processor, []).append(dict(arrays))
    return computed


def test_a_process_with_one_thread_computes_the_bytes_of_one_with_two(by_processor):
    for one, two in by_processor.values():
        assert [name for name in one if one[name].tobytes() != two[name].tobytes()] == []


def test_another_processor_computes_the_same_to_1e_10(by_processor):
    if len(by_processor) == 1:
        pytest.skip("this processor has no AVX-512")
    for name, older in by_processor["Haswell"][0].items():
        newer = by_processor["SkylakeX"][0][name]
        assert np.abs(newer - older).max() <= 1e-10 * np.abs(older).max(), name


if __name__ == "__main__":
    numbers = {f"{name} {i}": array for name in OF_PROCESSORS for i, array in enumerate(COMPUTATIONS[name]())}
    numbers.pop("data 2")  # eigenvectors: the sign of each is free
    np.savez(sys.argv[1], **numbers)
