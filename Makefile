# The only entry point: `make` alone lists what there is. CI calls the same targets (.ci/run).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo psql test bench build simulate mutants fuzz chaos \
        lint format sanitize dependencies image sbom secrets image-test clean
MAKEFLAGS += --no-builtin-rules --no-print-directory

SWIFT ?= swift
# Arguments of `make bench`; see `vitalstream-bench --help`.
BENCH ?=
# `make test FILTER=KafkaTests` runs what matches; see `swift test --help`.
FILTER ?=
# A test that hangs must not hang CI.
TEST_SECONDS ?= 1800
SWIFT_CODE := Package.swift $(wildcard Sources producers bench sql Tests)
SHELL_CODE := .ci/run $(shell grep -lE '^\#!.*bash' tools/* deploy/compose/* 2>/dev/null)

# Swift Testing runs as many tests at once as there are cores. Many of ours start a server each, so a machine with
# many cores is held back; a test that needs it alone says so with `.serialized`.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 4

help: ## List the targets | make
	@printf '%-13s %-80s %s\n' target 'what it does' example
	@sed -nE 's/^([a-z-]+):[^#]*## ([^|]+) \| (.*)$$/\1\t\2\t\3/p' $(MAKEFILE_LIST) \
	| while IFS=$$'\t' read -r target what example; do printf '%-13s %-80s %s\n' "$$target" "$$what" "$$example"; done

demo: build ## Service, broker, database and producers with a live table; Ctrl-C ends it | DEMO_SECONDS=30 make demo
	@exec .build/release/vitalstream demo

psql: ## A prompt on the demo's or the compose file's database, with the menu of sql/analytics | make psql
	@exec tools/psql

test: dependencies ## All tests; KAFKA_HOME adds those on a real broker | make test FILTER=IngestTests
	$(SWIFT) build -c release --build-tests
	timeout --foreground --kill-after=10 $(TEST_SECONDS) \
		$(SWIFT) test -c release --skip-build $(if $(FILTER),--filter '$(FILTER)')

bench: build ## Measure against raw COPY; KAFKA_HOME for a real broker | make bench BENCH='--quick --only backlog'
	@exec .build/release/vitalstream-bench $(BENCH)

simulate: dependencies ## The lane under seeded faults, in memory; SEEDS, SEED | make simulate SEEDS=1000000 SEED=1
	$(SWIFT) build -c release --product vitalstream-lab
	.build/release/vitalstream-lab simulate $(or $(SEEDS),10000) $(or $(SEED),0)

mutants: dependencies ## Take each safeguard away: the laboratory must notice | make mutants
	$(SWIFT) build -c release --product vitalstream-lab
	.build/release/vitalstream-lab mutants

fuzz: dependencies ## Payloads that are not quite right, through the whole lane; COUNT, SEED | make fuzz COUNT=1000000
	$(SWIFT) build -c release --product vitalstream-lab
	.build/release/vitalstream-lab fuzz $(or $(COUNT),1000000) $(or $(SEED),1)

chaos: build ## Faults on real processes; SECONDS, SEED, RATE, KAFKA_HOME | make chaos SECONDS=120 SEED=7
	.build/release/vitalstream-lab chaos $(or $(SECONDS),120) $(or $(SEED),1) $(or $(RATE),2000)

build: dependencies ## Release programs in .build/release | make build
	$(SWIFT) build -c release

lint: ## Format, sizes, import arrows, refused words; changes nothing | make lint
	@status=0; \
	tools/lint.py --self-test || status=1; \
	tools/test-install-dependencies || status=1; \
	if command -v shellcheck >/dev/null; then shellcheck $(SHELL_CODE) || status=1; fi; \
	$(SWIFT) format lint --strict --parallel --recursive $(SWIFT_CODE) || status=1; \
	tools/lint.py || status=1; \
	exit $$status

format: ## Format all Swift files in place | make format
	$(SWIFT) format --in-place --parallel --recursive $(SWIFT_CODE)

sanitize: dependencies ## All tests under ThreadSanitizer, then AddressSanitizer | make sanitize FILTER=KafkaTests
	FILTER='$(FILTER)' TEST_SECONDS='$(TEST_SECONDS)' tools/sanitize thread address

dependencies: ## Install from Debian or Ubuntu what is missing (asks for nothing) | make dependencies
	@tools/install-dependencies

image: ## Container image vitalstream:latest, with docker or podman | make image
	engine=$$(tools/container-engine); \
	$$engine build $$([[ $$engine == docker ]] || echo --format docker) --tag vitalstream:latest \
		--build-arg COMMIT=$$(git rev-parse --short=12 HEAD || echo unknown) .

image-test: ## Run the image and both compose files, restart, kill, down and up | make image-test
	@tools/image-test

sbom: ## What is in the image, as CycloneDX in .build/sbom.cdx.json | make sbom
	@tools/sbom

secrets: ## Certificates and passwords for docker-compose.secure.yml in ./secrets | make secrets
	@tools/secrets

clean: ## Delete what was built and the demo's leavings | make clean
	rm -rf .build .demo
