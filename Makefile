# SPDX-License-Identifier: Apache-2.0
# make train    set up .venv and run the whole road on configs/quickstart.yaml
# make test     set up .venv and run all tests
# make benchmark    how long an image takes here, step by step, and how many jobs are worth it
# make preview ASSET=hand_pallet_truck    look at an asset, yours or built in: results/preview/hand_pallet_truck.png
# make dataset, evaluate, report: other targets; CONFIG=configs/full.yaml another config; JOBS=8 more at once
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 4
CONFIG ?= configs/quickstart.yaml
PYTHON ?= $(shell command -v python3.11 || command -v python3)

.PHONY: train dataset evaluate report benchmark preview test lint setup clean
.DEFAULT_GOAL := train

train dataset evaluate report: setup
	$(BIN)/snakemake $@ -j$(JOBS) --configfile $(CONFIG)

benchmark: setup
	$(BIN)/python -m pipeline.benchmarks.rendering --config $(CONFIG)

preview: setup
	@test -n "$(ASSET)" || { echo "which one? make preview ASSET=hand_pallet_truck, or ASSET=catalogue" >&2; exit 1; }
	$(BIN)/snakemake results/preview/$(ASSET).png -j2 --forcerun preview --configfile $(CONFIG)

test: setup
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile

setup: $(VENV)/.installed

# The stamp is written last: an installation that was cut off is done again.
$(VENV)/.installed: requirements.txt requirements-constraints.txt requirements-nodeps.txt
	@test -n "$(PYTHON)" || { echo "cariste: no python3 found: apt-get install python3 python3-venv" >&2; exit 1; }
	$(PYTHON) pipeline/preflight.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -r requirements.txt -c requirements-constraints.txt
	$(BIN)/pip install --quiet --no-deps -r requirements-nodeps.txt
	touch $@

clean:
	rm -rf $(VENV)
