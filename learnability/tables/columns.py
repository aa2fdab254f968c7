"""The columns of a study's table, and what each of them means in a figure."""

KEYS = ["source", "architecture", "width", "target", "ridge", "noise_std", "train_size", "seed"]
MEASURES = [
    "learnability",
    "train_mse",
    "test_mse",
    "test_mse_off_train",
    "nmse",
    "r2",
    "accuracy",
    "accuracy_off_train",
    "balanced_accuracy_off_train",
    "log_loss_off_train",
]
SPREAD = "_spread"  # behind a measure: its standard deviation over initialisations of a network
CURVES = {"theory": "-", "eigensystem": "--", "bound": "--"}  # sources that are drawn as lines
EXPERIMENTS = ("kernel", "network")
NAMES = {
    "kernel": "kernel regression",
    "network": "trained networks",
    "theory": "theory",
    "eigensystem": "theory, spectrum alone",
    "samples": "theory, from samples alone",
    "quadrature": "Lanczos quadrature",
    "nystrom": "Nyström",
    "subsample": "random part, dense",
    "dense": "dense eigensystem",
}
LABELS = {
    "train_size": "training-set size $n$",
    "test_mse": r"test error $\mathcal{E}_{\mathrm{test}}$",
    "train_mse": r"train error $\mathcal{E}_{\mathrm{train}}$",
    "test_mse_off_train": "test error off the training set",
    "nmse": "normalised error off the training set",
    "r2": "$R^2$ off the training set",
    "learnability": r"learnability $\mathcal{L}(f)$",
    "accuracy": "accuracy",
    "accuracy_off_train": "accuracy off the training set",
    "balanced_accuracy_off_train": "balanced accuracy off the training set",
    "log_loss_off_train": "log-loss off the training set",
    "gradient": r"mean squared gradient $\langle|\nabla\hat f|^2\rangle$",
    "kappa": r"effective regularization $\kappa$",
    "relative variance": r"var/mean$^2$ of $1/(\phi^T K^{-1}\phi)$",
    "time": r"effective time $n/\delta$",
    "ridge": r"ridge $\delta$",
    "noise_std": r"noise $\sigma$",
    "dim": "dimension $d$",
    "samples needed": "samples needed for the full parity",
    "samples": "samples needed",
    "overfitting_coefficient": r"overfitting coefficient $\mathcal{E}_0$",
    "eigenvalue": r"eigenvalue $\lambda$",
    "mode": "mode",
}
