# Everything runs from here on a machine with Python 3.11+, a shell and make; the rest is installed into .venv.
SHELL := /bin/sh
.DEFAULT_GOAL := help
# The fastest Python 3 of the version of python3, unless PYTHON names one.
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
NATIVE := src/tidegate/offer/pricing/native
# A festival is seven processes, and the tests start dozens: each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup web browser nginx demo run test check bench pictures format clean

help: ## Say what can be done.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/.ready src/tidegate/app/assets/manifest.json $(NATIVE)/kernel.so ## Install everything into .venv, build the pages and the pricing kernel.

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(or $(PYTHON),python3) scripts/setup.py $(VENV) $(if $(PYTHON),--this-one)
	@touch $@

WEB_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' 2>/dev/null)

src/tidegate/app/assets/manifest.json: $(VENV)/.ready $(WEB_SOURCES)
	@$(BIN)/python scripts/build_web.py

$(NATIVE)/kernel.so: $(VENV)/.ready scripts/build_native.py requirements-compiler.lock $(wildcard $(NATIVE)/*.[ch])
	@$(BIN)/python scripts/build_native.py

web: src/tidegate/app/assets/manifest.json ## Build the pages' files.

demo: setup ## Run a whole festival and show the result (about four minutes).
	@$(BIN)/tidegate demo

run: setup ## Run the system on the example festival until Ctrl-C.
	@$(BIN)/tidegate up

test: setup browser nginx ## Run all tests.
	@$(BIN)/pytest -n 3 --dist loadgroup --no-loadscope-reorder

check: setup ## Format, lint, types, architecture and the tests that need no server.
	@$(BIN)/ruff format --check .
	@$(BIN)/clang-format --dry-run -Werror $(NATIVE)/*.[ch]
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -n 2 --dist loadgroup -m "not browser and not slow and not database"

browser: $(VENV)/.ready ## Find a browser for the tests, or install one.
	@$(BIN)/python scripts/browser.py

nginx: $(VENV)/.ready ## Find nginx for the tests of the edge, or unpack Debian's below .venv.
	@$(BIN)/python scripts/nginx.py

bench: setup ## Measure, against a yardstick in the same run.
	@$(BIN)/python -m bench

pictures: setup browser ## Make the README's pictures anew (about six minutes).
	@$(BIN)/python -m scripts.pictures

format: setup ## Format the code.
	@$(BIN)/ruff format .
	@$(BIN)/clang-format -i $(NATIVE)/*.[ch]
	@$(BIN)/ruff check --fix .

clean: ## Remove what was installed and built; data in .tidegate stays.
	rm -rf $(VENV) src/tidegate/app/assets $(NATIVE)/kernel.so web/node_modules
