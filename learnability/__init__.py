"""Predict how well a wide neural network generalizes before it is trained, and check the prediction.

The public names are imported on first use (PEP 562): a script that only solves the theory does not
wait for PyTorch, and depends on no module that it does not name.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Kernel": "kernels.kernel",
    "FullyConnected": "kernels.fully_connected",
    "Residual": "kernels.residual",
    "Sequential": "kernels.sequential",
    "Activation": "kernels.activations",
    "Gaussian": "kernels.radial",
    "Laplace": "kernels.radial",
    "Matern": "kernels.radial",
    "OwnKernel": "kernels.own",
    "TorchModule": "kernels.torch_module",
    "infinite": "kernels.infinite",
    "Spectrum": "spectra.spectrum",
    "LargeSpectrum": "spectra.quadrature",
    "large_spectrum": "domains.large",
    "standard_errors": "theory.replicates",
    "Target": "spectra.target",
    "hermite_ansatz": "spectra.hermite_ansatz",
    "Hypercube": "domains.hypercube",
    "Circle": "domains.circle",
    "Hypersphere": "domains.sphere",
    "Samples": "domains.samples",
    "GaussianSamples": "domains.synthetic",
    "MixtureSamples": "domains.synthetic",
    "SphereSamples": "domains.synthetic",
    "learning_curve": "curves.learning_curve",
    "LearningCurve": "curves.learning_curve",
    "predict": "theory.prediction",
    "Eigenlearning": "theory.eigenlearning",
    "FinitePopulation": "theory.finite_population",
    "RandomFeatures": "theory.random_features",
    "FourthMoments": "theory.fourth_moments",
    "PerSample": "theory.per_sample",
    "Prediction": "theory.prediction",
    "coefficient_covariance": "theory.covariance",
    "predict_samples": "theory.per_sample",
    "SamplePrediction": "theory.per_sample",
    "extrapolate": "theory.extrapolation",
    "Extrapolation": "theory.extrapolation",
    "kernel_regression": "regression.ridge",
    "IllConditioned": "common.conditioning",
    "select": "selection.ranking",
    "Selection": "selection.selection",
    "NTKRegressor": "sklearn",
    "NTKClassifier": "sklearn",
    "train": "ensembles.training.fit",
    "TrainingResult": "ensembles.training.result",
    "Ensemble": "ensembles.networks",
    "TangentKernel": "ensembles.tangent_kernel",
}

__all__ = sorted(_HOME)
_PACKAGES = {"layers": "kernels.layers"}


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"{__name__}.{_PACKAGES[name]}")
    if name not in _HOME:
        raise AttributeError(f"module 'learnability' has no attribute {name!r}; it offers {', '.join(__all__)}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__, *_PACKAGES]
