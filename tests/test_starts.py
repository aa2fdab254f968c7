"""Jobs that read files do not wait for PyTorch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from build_kernel import main as build_kernel
from decompose_kernel import main as decompose_kernel
from learnability.common.store import read_frame

ROOT = Path(__file__).parent.parent
ARCHITECTURE = {"depth": 1, "activation": "relu", "weight_std": 1.4, "bias_std": 0.1}
DOMAINS = {
    "cube": ({"kind": "hypercube", "dim": 4}, {"parity": 2}),
    "digits": ({"kind": "data", "name": "digits", "classes": [4, 9], "samples": 30}, {"all": None}),
}
GRID = {
    "train_sizes": [4],
    "measured_sizes": [4, 8],
    "ridges": [0.1],
    "noise_stds": [0.0],
    "theory": "auto",
    "seeds": 2,
}
JOB = """
import json, sys
sys.path[:0] = ["{root}", "{root}/scripts"]
import predict_theory, run_regression
parameters, (values, eigenvalues, predictions, functions) = json.loads(sys.argv[1])
predict_theory.main(parameters, values, eigenvalues, predictions)
run_regression.main(parameters, values, functions)
print("torch" in sys.modules)
"""


@pytest.mark.parametrize("name", DOMAINS)
def test_theory_and_regression_read_a_kernel_without_pytorch(tmp_path, name):
    domain, target = DOMAINS[name]
    kernel = {"domain": domain, "architecture": ARCHITECTURE, "kernel": "ntk"}
    files = [str(tmp_path / f"{file}.h5") for file in ("values", "eigenvalues", "predictions", "functions")]
    build_kernel(kernel, files[0])
    decompose_kernel(kernel, *files[:2])
    job = json.dumps([{**kernel, "targets": {"target": target}, **GRID}, files])
    command = [sys.executable, "-c", JOB.format(root=ROOT), job]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert output.split()[-1] == "False"
    assert len(read_frame(files[2])) > 0 and len(read_frame(files[3])) == 2
