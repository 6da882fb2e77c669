# make demo    set up in .venv, then transfer a shipped example, print its figures, and speak a sentence
# make test    set up in .venv with the developers' tools, then run all tests, ruff and mypy
# make lint    ruff and mypy alone
# make weights train all networks that ship, from data/*.jsonl (docs/training.md); hours, and it goes on where it was
# make lock    write requirements.lock again: the newest releases that pyproject.toml allows, with hashes
# make docs    write again what is written by program: docs/cli.md and the tables of figures

PYTHON ?= $(shell for p in python3 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN ?= .venv/bin
TORCH = torch==2.13.0
LOCK ?= requirements.lock

.PHONY: demo test lint docs lock weights clean
.DELETE_ON_ERROR:

demo: .venv/.base
	@mkdir -p demo
	$(BIN)/ptx transfer examples/audio/source.flac --speaker alice -o demo/source.alice.wav --force
	$(BIN)/ptx speak "Did the parcel come by post, or by hand?" --prosody plain --speaker alice -o demo/speech.alice.wav --force

test: .venv/.dev
	$(BIN)/pytest
	@$(MAKE) --no-print-directory lint

# cli/ and models/ are imported as prosody_transfer.cli and .models: mypy sees them in their places through links.
lint:
	$(BIN)/ruff check .
	@rm -rf .lint && mkdir -p .lint/prosody_transfer
	@for part in prosody_transfer/[!_]* prosody_transfer/__init__.py cli models; do \
		ln -s "../../$$part" .lint/prosody_transfer/; done
	cd .lint && $(abspath $(BIN))/mypy --config-file ../pyproject.toml --cache-dir ../.mypy_cache -p prosody_transfer

docs:
	PTX_WRITE_DOCS=1 $(BIN)/pytest tests/cli/test_docs.py tests/evaluation/test_guides.py tests/evaluation/test_baseline.py

lock: .venv/bin/python
	.venv/bin/python -m pip install uv
	.venv/bin/python .ci/lock.py

weights: .venv/.train
	$(BIN)/ptx train recipe recipes/shipped.toml
	$(BIN)/ptx voice fisher data/synthetic.jsonl data/real_train.jsonl --cache data/cache --model runs/copycat_heard/model.safetensors -o runs/fisher.safetensors
	$(BIN)/ptx train prominence data/prominence.txt.gz -o runs/prominence.safetensors --hold-out 1919 --hold-out 2277 --hold-out 2902 --hold-out 3853 --hold-out 5536

# Where python has no ensurepip (Debian without python3-venv), the pip that is there fills the environment.
.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or 3.12 is needed; give it with PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv .venv || { $(PYTHON) -m venv --clear --without-pip .venv && \
		$(PYTHON) -m pip --python .venv/bin/python install pip; }

# Training and tests need it. By itself: then the requirement of the extra finds it and does not choose another build.
.venv/.torch: | .venv/bin/python
	.venv/bin/python -m pip install $(TORCH)
	@touch $@

.venv/.base: pyproject.toml | .venv/bin/python
	.venv/bin/python -m pip install -e .
	@touch $@

.venv/.train: pyproject.toml .venv/.torch
	.venv/bin/python -m pip install -e ".[train,evaluate,speak]"
	@touch $@ .venv/.base

# For the tests every package is the locked one, with its hash; torch finds there what it needs, and comes last.
# `make test LOCK=` takes whatever pyproject.toml allows.
ifneq ($(LOCK),)
.venv/.dev: pyproject.toml $(LOCK) | .venv/bin/python
	.venv/bin/python -m pip install --require-hashes --no-deps -r $(LOCK)
	.venv/bin/python -m pip install $(TORCH)
	.venv/bin/python -m pip install --no-deps --no-build-isolation -e .
	.venv/bin/python -m pip check
	@touch .venv/.torch .venv/.base $@
else
.venv/.dev: pyproject.toml .venv/.torch
	.venv/bin/python -m pip install -e ".[dev]"
	@touch $@ .venv/.base
endif

clean:
	rm -rf .venv .lint .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info demo
