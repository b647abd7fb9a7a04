# make demo: set up, read the sample notes, show what was found.   make test: set up and run the whole suite.
# PYTHON=python3.11 chooses the interpreter (3.11 or 3.12), VENV=.venv-3.11 where its environment goes.

FITS = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))
PYTHON ?= $(shell for python in python3.12 python3.11 python3; do \
	$$python -c '$(FITS)' 2>/dev/null && echo $$python && break; done)
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test check pin wheel clean

demo: $(VENV)/installed
	rm -rf out
	$(BIN)/medtext extract samples/notes -o out
	@echo
	@echo "The records are in out/, one for each note of samples/notes. out/telephone_encounter.txt.json begins:"
	@head -n 45 out/telephone_encounter.txt.json

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n auto --dist loadgroup

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "medtext needs Python 3.11 or 3.12; install one, or name it: make PYTHON=…"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

pin:
	uv pip compile pyproject.toml --universal --python-version 3.11 --no-annotate \
		--custom-compile-command "make pin" --quiet -o requirements.txt
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --no-annotate \
		--custom-compile-command "make pin" --quiet -c requirements.txt -o requirements-dev.txt

wheel: $(VENV)/installed-dev
	$(BIN)/python -m build --wheel

clean:
	rm -rf $(VENV) out dist build
