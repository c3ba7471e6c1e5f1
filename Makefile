# All ways to build, run and check Postern. CI runs these targets and nothing else.

CARGO := cargo
# Of the whole workspace, so that features are unified as in the build: one package would be rebuilt.
POSTERN = $(CARGO) run --quiet --bin postern --

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

.PHONY: run
run: ## build and serve the demo on SQLite in ./data
	$(CARGO) build --workspace
	$(POSTERN) serve --demo

.PHONY: test
test: ## run all tests, on SQLite and temporary PostgreSQL and PgBouncer (installed if missing)
	$(CARGO) build --workspace
	$(CARGO) test --workspace

.PHONY: fuzz
fuzz: ## fuzz a demo server with the contract, as each demo account: make fuzz SEED=… EXAMPLES=…
	$(CARGO) build --workspace
	tests/contract/fuzz-all.sh "$${SEED:-$$(date +%s)}" "$${EXAMPLES:-100}"

.PHONY: check
check: ## check format, lints, freshness of generated files, and the contract with third-party rules
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	@$(MAKE) --no-print-directory golden-into DIR="$$(mktemp -d)" CMP=1
	tests/style.sh
	tests/contract/lint.sh openapi/openapi.json openapi/openapi-3.0.json

.PHONY: contract-diff
contract-diff: ## list contract changes since the last tag, or SINCE=…; fail on breaking ones
	@tests/contract/diff.sh "$(SINCE)"

.PHONY: golden
golden: ## regenerate openapi/: the contract and its tables
	@$(MAKE) --no-print-directory golden-into DIR=openapi

.PHONY: golden-into
golden-into:
	@$(CARGO) build --quiet --workspace
	@for table in contract contract-3.0 operations permissions problems audit-actions; do \
	    case $$table in contract*) file=openapi$${table#contract}.json;; *) file=$$table.md;; esac; \
	    $(POSTERN) openapi --print $$table > "$(DIR)/.$$file" && mv "$(DIR)/.$$file" "$(DIR)/$$file" || exit 1; done
	@if [ -n "$(CMP)" ]; then \
	    diff -ru --exclude=CHANGELOG.md openapi $(DIR) && rm -rf $(DIR) && \
	    echo "generated files are up to date" || \
	    { echo "generated files are outdated: run 'make golden' and review the diff"; exit 1; }; fi

.PHONY: bench
bench: ## measure a release build; print results as in docs/performance.md
	$(CARGO) build --release --workspace
	$(CARGO) run --release --quiet --package postern-tests --bin bench

.PHONY: bench-audit
bench-audit: ## measure audit logs in a release build, with 10 million events and a log of 1 million
	$(CARGO) build --release --workspace
	$(CARGO) run --release --quiet --package postern-tests --bin bench -- audit
