# Every target works on a fresh machine: the first one that needs it makes .venv from requirements/dev.txt.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3.11
RUN := .venv/bin/python
PACKAGES := fieldmesh device_agent gateway hub
LINTED := $(wildcard $(PACKAGES) deploy tests tools protos examples)

.PHONY: help demo test t check bench faults chaos fuzz runbooks mutants docs protos translations requirements clean

help: ## this list
	@grep -hE '^[a-z.]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z.]+):.*## (.*)/  make \1\t\2/' | expand -t 24

.venv: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Fieldmesh needs Python 3.11 with venv; on Debian and Ubuntu: apt-get install python3.11 python3.11-venv (another path: make PYTHON=/path/to/python3.11)"; exit 1; }
	@test -x $(RUN) || { echo "Making .venv; this takes about a minute."; $(PYTHON) -m venv .venv; }
	@$(RUN) -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(RUN) -m pip install -qq --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch .venv

demo: .venv ## a company works for a day on this machine, under three minutes (KEEP=1 leaves it running)
	@$(RUN) -m deploy.demo $(if $(KEEP),--keep) $(if $(FIELDMESH_SAMPLE),--sample $(FIELDMESH_SAMPLE))

test: .venv ## every test; of the longest fault stories a seeded quarter
	@$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder --choose tests

t: .venv ## the tests whose name holds a word: make t k=digest
	@$(RUN) -m pytest -x -k '$(k)' tests

check: .venv ## format, lint, types, layers, words, dead code, and that what is generated is up to date
	@$(RUN) tools/check.py

bench: .venv ## measure, and write build/bench.json (ONLY=fast. for some keys, REPEAT=9, QUICK=1)
	@$(RUN) -m tests.bench $(addprefix --only ,$(ONLY)) $(if $(REPEAT),--repeat $(REPEAT)) $(if $(QUICK),--quick)

faults: .venv ## every fault story: all combinations of kill -9, cut lines, full disks and wrong clocks
	@$(RUN) -m pytest tests/faults tests/upgrades --thorough

chaos: .venv ## a campaign under all faults, for MINUTES=5 (SEED=7 replays one, FAULTS=kill,cut chooses, CLUSTER=1: three brokers)
	@$(RUN) -m tests.chaos --minutes $(or $(MINUTES),5) $(if $(SEED),--seed $(SEED)) $(if $(FAULTS),--faults $(FAULTS)) $(if $(CLUSTER),--cluster) $(if $(FOLDER),--folder $(FOLDER))

fuzz: .venv ## bytes that no good program sends, for MINUTES=5 (ONLY=session for one target)
	@$(RUN) -m tests.attacks.fuzz --minutes $(or $(MINUTES),5) $(if $(ONLY),--only $(ONLY))

runbooks: .venv ## follow every page for the night, command by command, in a network that is in that trouble
	@$(RUN) -m pytest --thorough tests/faults/test_runbooks.py

mutants: .venv ## break the code on purpose in a copy of the tree: the fault tests have to notice
	@$(RUN) -m tests.faults.mutants

docs: .venv ## write the pages that come from code: problems, settings, metrics, layers
	@$(RUN) tools/docs.py

protos: .venv ## write fieldmesh/wire from protos/
	@$(RUN) protos/generate.py

translations: .venv ## gather the texts for people and compile the catalogues
	@$(RUN) tools/translations.py

requirements: .venv ## pin what pyproject.toml names, with hashes (UPGRADE=1: the newest of everything)
	@$(RUN) tools/requirements.py $(if $(UPGRADE),--upgrade)

clean: ## remove what the build and the tests left behind; .venv stays
	@rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
