# SPDX-License-Identifier: Apache-2.0
# make train      install everything into .venv, then render, train and report with configs/quickstart.yaml
# make test       install everything, then run the tests (about 6 minutes); make test-all adds the long ones
# make benchmark  how long an image takes on this machine, stage by stage, and how many jobs are worth it
# make preview ASSET=hand_pallet_truck    look at an asset, yours or built in: results/preview/hand_pallet_truck.png
# make dataset, make evaluate, make report: other targets. CONFIG=configs/full.yaml: another config. JOBS=8: more at once.
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 4
CONFIG ?= configs/quickstart.yaml
PYTHON ?= $(shell command -v python3.11 || command -v python3)
# Not $(BIN)/snakemake and $(BIN)/pip: the first line of such a script fails in a folder with a space or an apostrophe.
# Only the lines of our own stages and errors; the full log of each job is in logs/ beside its results.
SNAKEMAKE := CARISTE_QUIET=1 $(BIN)/python -m snakemake --quiet host progress reason rules -j$(JOBS)
# Each worker runs whole files, in the order that tests/conftest.py sets: the longest first.
PYTEST := $(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

# The shell reads these from its environment, so that their values may contain spaces, quotes and $.
export CONFIG ASSET PYTHON

.PHONY: train dataset evaluate report benchmark preview test test-all lint setup clean
.DEFAULT_GOAL := train

train dataset evaluate report: setup
	$(SNAKEMAKE) --configfile "$$CONFIG" -- $@

benchmark: setup
	$(BIN)/python -m pipeline benchmark --config "$$CONFIG"

preview: setup
	@test -n "$$ASSET" || { echo "which one? make preview ASSET=hand_pallet_truck, or ASSET=catalogue" >&2; exit 1; }
	$(SNAKEMAKE) --forcerun preview_records preview --configfile "$$CONFIG" -- "results/preview/$$ASSET.png"

test: setup
	$(PYTEST) -m "not slow"

test-all: setup
	CARISTE_THOROUGH=1 $(PYTEST)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m snakefmt --check Snakefile rules/*.smk
	$(BIN)/lint-imports

setup: $(VENV)/.installed

# The stamp is written last: an installation that was interrupted is done again.
$(VENV)/.installed: requirements.txt requirements-constraints.txt requirements-nodeps.txt pyproject.toml
	@test -n "$$PYTHON" || { echo "cariste: no python3 found: apt-get install python3 python3-venv" >&2; exit 1; }
	"$$PYTHON" pipeline/preflight.py
	"$$PYTHON" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements.txt -c requirements-constraints.txt
	$(BIN)/python -m pip install --quiet --no-deps -r requirements-nodeps.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf $(VENV)
