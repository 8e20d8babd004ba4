.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test check proof soak bench format constraints clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# One virtual environment of the standard library's making, with the exact versions that were tested.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "jarkeeper: expected Python 3.11 or newer, got " + sys.version.split()[0])'
	@echo "Installing into $(VENV) (a minute or two, once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt \
		--editable '.[media,aws,report,test,dev]'
	@touch $@

demo: $(STAMP) ## See what Jarkeeper does: offline, in a minute or two
	@$(BIN)/python tests/demo.py $(if $(CHAPTERS),--list) $(if $(CHAPTER),--chapter $(CHAPTER))

# One file's tests stay in one process: they share servers.
test: $(STAMP) ## Run the tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(STAMP) ## Lint, types, import rules, generated documents
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache > .lint-imports.log || { cat .lint-imports.log; exit 1; }
	@rm .lint-imports.log
	@$(BIN)/python docs/generate.py --check

proof: $(STAMP) ## Run the long proofs: ten thousand kills, every bit flipped, S3 failing, 200 years
	@JARKEEPER_PROOF=10000 $(BIN)/python -m pytest tests/security tests/year --timeout=7200

soak: $(STAMP) ## Live an hour in miniature: real schedules, sessions that die, an operator who comes late
	@JARKEEPER_SOAK_SECONDS=$${JARKEEPER_SOAK_SECONDS:-3600} $(BIN)/python -m pytest tests/orchestration/test_soak.py

bench: $(STAMP) ## Measure against yt-dlp and bare engines, and write docs/performance.md
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	@$(BIN)/python bench/run.py
	@$(BIN)/python bench/open_path.py
	@$(BIN)/python bench/analysis.py

format: $(STAMP) ## Format the code, write the generated documents
	@$(BIN)/python docs/generate.py
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

constraints: ## Resolve the ranges anew and write the exact versions down
	@$(PYTHON) -m venv .venv-constraints
	@.venv-constraints/bin/python -m pip install --quiet '.[media,aws,report,test,dev,bench]'
	@{ echo '# The exact set that was tested; pyproject.toml holds the ranges. Written by: make constraints'; \
	   .venv-constraints/bin/python -m pip freeze --exclude jarkeeper --exclude pip --exclude setuptools; } > constraints.txt
	@rm -rf .venv-constraints

clean: ## Remove what the other targets made
	@rm -rf $(VENV) demo demo-* build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
