# `make figures` draws the two headline figures, `make test` checks everything; both create .venv when it is missing.
PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)

.PHONY: figures paper fidelity test lint format docs benchmark clean

figures: .venv/ready
	$(SNAKEMAKE)

paper: .venv/ready
	$(SNAKEMAKE) --configfile config/paper.yaml

fidelity: .venv/ready
	$(SNAKEMAKE) --configfile config/fidelity.yaml

benchmark: .venv/ready
	PYTHONPATH=scripts $(BIN)/python scripts/benchmark.py

test: .venv/ready
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules

docs: .venv/ready
	$(BIN)/python scripts/describe_config.py
	$(BIN)/python scripts/describe_architecture.py

clean:
	rm -rf results logs .snakemake

.venv/ready: envs/requirements.txt envs/requirements-dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r envs/requirements.txt -r envs/requirements-dev.txt
	touch $@
