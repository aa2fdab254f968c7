# `make figures` draws the two headline figures, `make test` checks everything; both create the environment .venv when it is missing.
PYTHON ?= python3
CORES ?= all
VENV ?= .venv
BIN := $(VENV)/bin
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)

.PHONY: figures report site paper large fidelity test test-fast test-pythons test-newest slurm test-slurm test-faults browser lint format docs benchmark clean

figures: $(VENV)/ready
	$(SNAKEMAKE)

paper: $(VENV)/ready
	$(SNAKEMAKE) --configfile config/paper.yaml

large: $(VENV)/ready
	$(SNAKEMAKE) --configfile config/large.yaml

fidelity: $(VENV)/ready
	$(SNAKEMAKE) --configfile config/fidelity.yaml

# One page with all figures, tables, run times and the graph of jobs; it opens without a network.
report: $(VENV)/ready
	$(SNAKEMAKE) all explorer $(if $(CONFIG),--configfile $(CONFIG))
	$(SNAKEMAKE) all explorer $(if $(CONFIG),--configfile $(CONFIG)) --report results/report.html

# The documentation as a site, in site/.
site: $(VENV)/ready
	$(BIN)/python -m mkdocs build --strict

# How fast everything is, beside docs/benchmarks; SAVE=1 keeps the times there for later runs on this kind of processor.
benchmark: $(VENV)/ready
	$(BIN)/python scripts/benchmark.py $(if $(SAVE),--save)

test: $(VENV)/ready
	$(BIN)/python -m pytest -n 2 --dist loadgroup

# All tests but those marked slow: runs of Snakemake, pages of the documentation, long computations.
test-fast: $(VENV)/ready
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow"

# All tests on the other supported Pythons of this machine, each in an environment of its own: .venv-3.12 and so on.
test-pythons: $(VENV)/ready
	$(BIN)/python tests/pythons.py test

# The fast tests on the newest supported Python of this machine.
test-newest: $(VENV)/ready
	$(BIN)/python tests/pythons.py test-fast --newest

# The workflow on a real Slurm of two nodes on this machine, minutes; as root, Debian's packages are installed where they are missing.
test-slurm: $(VENV)/ready slurm
	$(BIN)/python -m pytest tests/slurm -rs

# Two hundred random faults; after each the workflow ends with the same tables, or with an error that says what to do.
test-faults: $(VENV)/ready
	PYTHONPATH=.:scripts $(BIN)/python tests/faults/campaign.py 200

# The browser in which report and explorer are tested; as root, Debian's is installed where there is none.
browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	  echo "Chromium cannot be installed here; tests of the explorer page are skipped"

slurm:
	@for program in slurmctld slurmd srun munged; do command -v $$program >/dev/null || missing=$$program; done; \
	  [ -z "$$missing" ] || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client munge >/dev/null; } || \
	  echo "Slurm cannot be installed here ($$missing is missing); its tests are skipped"

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy

format: $(VENV)/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules

docs: $(VENV)/ready
	$(BIN)/python scripts/describe_config.py
	$(BIN)/python scripts/describe_architecture.py
	$(BIN)/python scripts/describe_gallery.py

clean:
	rm -rf results logs .snakemake

$(VENV)/ready: envs/requirements.txt envs/requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "learnability needs Python 3.11 to 3.13, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r envs/requirements.txt -r envs/requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@
