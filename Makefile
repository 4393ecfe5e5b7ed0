# Everything the project needs beyond Go and Python is installed into .venv; see scripts/setup.sh.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Nothing here needs a C compiler, and the same setting everywhere shares one build cache.
export CGO_ENABLED ?= 0

# A home directory that cannot be written, as in some containers, is replaced by one in the project.
ifneq ($(shell [ -n "$$HOME" ] && [ -w "$$HOME" ] && echo yes),yes)
export HOME := $(CURDIR)/.cache/home
endif

# Jupyter keeps its settings and state in the environment too, and finds this project's kernel before any other.
export ALPHAGRAD_VENV := $(CURDIR)/.venv
export JUPYTER_CONFIG_DIR := $(ALPHAGRAD_VENV)/jupyter/config
export JUPYTER_DATA_DIR := $(ALPHAGRAD_VENV)/jupyter/data
export JUPYTER_RUNTIME_DIR := $(ALPHAGRAD_VENV)/jupyter/runtime
export IPYTHONDIR := $(ALPHAGRAD_VENV)/jupyter/ipython
export JUPYTER_PREFER_ENV_PATH := 1
export JUPYTER_PATH :=

.PHONY: help
help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

.PHONY: run
run: setup build ## regenerate results/ and execute the notebooks that show them
	bin/alphagrad run experiments/poster.yaml
	bin/alphagrad notebooks

.PHONY: test
test: setup ## vet and test everything, notebooks included
	go vet ./...
	go test -timeout 30m ./... # on a busy machine the notebooks alone take eight minutes

.PHONY: lab
lab: setup ## open the notebooks in JupyterLab
	.venv/bin/python -m jupyterlab $$([ "$$(id -u)" != 0 ] || echo --allow-root) $(LAB_FLAGS)

.PHONY: lint
lint: ## check formatting, vet, and that go.mod is tidy
	@unformatted=$$(gofmt -l alphagrad cmd examples); [ -z "$$unformatted" ] || { echo "not gofmt'd: $$unformatted" >&2; exit 1; }
	go vet ./...
	go mod tidy -diff

.PHONY: bench
bench: ## run all benchmarks
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: strip
strip: ## remove the outputs from the notebooks
	go test ./alphagrad/notebook -run '^TestCommittedNotebooks$$' -strip

.PHONY: build
build: ## build bin/alphagrad
	go build -o bin/alphagrad ./cmd/alphagrad

.PHONY: setup
setup: ## install JupyterLab, nbconvert and the Go kernel into .venv
	@scripts/setup.sh

.PHONY: clean
clean: ## remove what make has made; runs/ and results/ stay
	@if [ -d .cache ]; then chmod -R u+w .cache; fi
	rm -rf .venv .cache bin
