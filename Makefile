# Everything that a developer does here. `make help` lists it.

GO ?= go

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## bin/grapnel
	$(GO) build -trimpath -o bin/grapnel ./cmd/grapnel

test: ## everything, under the race detector; needs a C compiler, redis-server and python3-venv
	$(GO) vet ./...
	$(GO) test -race ./...
	$(GO) test ./socket ./server/h1 ./upstream/h1 ./plugin/rpc/... # which use sockets in another way without the detector

test-all: test ## and the samples and scaffolds of every language, and the bindings generated anew
	./proto/generate.sh --check
	GRAPNEL_SAMPLES=all $(GO) test -p 1 -timeout 2h ./test/examples ./test/tutorial ./scaffold/...

fuzz: ## every fuzz target for FUZZTIME each
	./test/fuzz.sh $(or $(FUZZTIME),20s)

bench: ## the gateway beside its peers, as separate processes; see bench/README.md
	./bench/run.sh
	./bench/run.sh -growth

bench-storm: ## a fleet of plugin servers in bad weather: writes bench/STORM.md
	./bench/storm.sh

generate: ## the bindings of every language from the .proto files
	./proto/generate.sh

docs: ## pages that are generated from comments
	$(GO) test ./config -run Reference -update
	$(GO) run ./proto/htmldoc proto/bindings/descriptor/coprocess.binpb docs/protocol/index.html

.PHONY: help build test test-all fuzz bench bench-storm generate docs
.DEFAULT_GOAL := help
