# Every target sets up what it needs, without asking.
PYTHON := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup dashboard demo test quick check fuzz coverage bench faults fuzz profile schema hooks lock clean clean-cache

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## create or update .venv; the other targets do this first
	@deploy/local/setup.sh

dashboard: setup ## build web/dist, which the API serves, if its sources have changed
	@deploy/local/dashboard.sh

demo: dashboard ## run Kafka, TimescaleDB, all services and a simulated fleet on 127.0.0.1; Ctrl-C stops them
	@$(PYTHON) -m deploy.local demo

test: dashboard ## run all tests but the benchmarks, on a real Kafka and a real TimescaleDB
	@deploy/local/setup.sh tests
	@$(PYTHON) -m deploy.local fetch
	@$(PYTHON) -m tests.parallel -q tests $(PYTEST_ARGS)

quick: setup ## run the tests that need no servers, in about a minute
	@$(PYTHON) -m tests.parallel -q tests/unit tests/property tests/contract

check: setup ## check format, lint, types, wording, generated files
	@$(PYTHON) -m ruff format --check -q .
	@$(PYTHON) -m ruff check -q .
	@$(PYTHON) -m mypy schemas services deploy tests
	@$(PYTHON) -m schemas.wire.json_schema --check
	@$(PYTHON) -m schemas.wire.asyncapi --check
	@$(PYTHON) -m schemas.migration_checksums --check
	@$(PYTHON) -m tests.wording
	@$(PYTHON) -m services.api.openapi --check
	@$(PYTHON) -m services.analytics.kpi_document --check
	@deploy/local/dashboard.sh packages
	@cd web && npm run --silent check

bench: setup ## measure the critical paths; BENCH=ingest chooses; appends to build/bench.jsonl
	@$(PYTHON) -m deploy.local fetch
	@$(PYTHON) -m tests.bench $(BENCH)

faults: setup ## kill, cut, fill and freeze for MINUTES=10, and check the law; ONLY="kill -9 of ingest" chooses; goes on where it ended
	@deploy/local/setup.sh tests
	@$(PYTHON) -m deploy.local fetch
	@$(PYTHON) -m tests.faults --minutes $(or $(MINUTES),10) $(if $(ONLY),--only "$(ONLY)")

fuzz: setup ## drive both of ingest's paths with a coverage-guided fuzzer, for MINUTES=10
	@.venv/bin/uv pip install -q --target build/atheris --require-hashes -r requirements/fuzz.txt
	@PYTHONPATH=build/atheris $(PYTHON) -m tests.fuzz $(or $(MINUTES),10)

coverage: dashboard ## measure which lines and branches tests run, also in services they start; build/coverage/html
	@deploy/local/setup.sh tests
	@$(PYTHON) -m deploy.local fetch
	@rm -rf build/coverage
	@$(PYTHON) -m coverage run -m pytest -q $(or $(TESTS),tests/unit tests/property tests/contract tests/integration)
	@$(PYTHON) -m coverage combine -q
	@$(PYTHON) -m coverage html -q
	@$(PYTHON) -m coverage report

profile: setup ## sample ingest, analytics and the API under load; flame graphs in build/profile
	@$(PYTHON) -m deploy.local fetch
	@$(PYTHON) -m tests.bench.profiles $(PROFILE)

schema: setup ## write schemas/schema.sql and the checksums of new migrations
	@$(PYTHON) -m schemas.migration_checksums
	@$(PYTHON) -m deploy.local fetch
	@$(PYTHON) -m tests.schema_file

hooks: ## make git run check and quick before each commit; to undo, remove .git/hooks/pre-commit
	@hook=$$(git rev-parse --git-path hooks/pre-commit); \
		if [ -e "$$hook" ] && ! cmp -s .ci/pre-commit "$$hook"; then \
		printf 'jejo: %s is a hook of your own: move it away first.\n' "$$hook" >&2; exit 1; fi; \
		mkdir -p "$$(dirname "$$hook")" && cp .ci/pre-commit "$$hook" && printf 'installed %s\n' "$$hook"

lock: setup ## upgrade the pinned versions to the newest that requirements/*.in allow
	@for set in runtime dev peers fuzz; do .venv/bin/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-header \
		--no-annotate --python-version 3.11 requirements/$$set.in -o requirements/$$set.txt; done

clean: ## remove what this clone created: .venv, builds and data
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m deploy.local clean; fi
	@rm -rf .venv build web/node_modules web/dist web/build .mypy_cache .ruff_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-cache: setup ## remove the downloads that clones share
	@$(PYTHON) -m deploy.local clean-cache
