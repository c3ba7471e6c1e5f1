# Every way to run things. CI runs these targets and nothing else.

CARGO := cargo
POSTERN = $(CARGO) run --quiet --package postern --bin postern --

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

.PHONY: run
run: ## build, and serve the demo on SQLite in ./data
	$(CARGO) build --workspace
	$(POSTERN) serve --demo

.PHONY: test
test: ## run every test, on SQLite and on a throw-away PostgreSQL and PgBouncer, brought if they are not there
	$(CARGO) build --workspace
	$(CARGO) test --workspace

.PHONY: fuzz
fuzz: ## ask a demo server anything that the contract allows and does not, as everybody, for longer: make fuzz SEED=… EXAMPLES=…
	$(CARGO) build --workspace
	tests/contract/fuzz-all.sh "$${SEED:-$$(date +%s)}" "$${EXAMPLES:-100}"

.PHONY: check
check: ## formatting, lints, whether what is generated is fresh, and what others' rules say of the contract
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	@$(MAKE) --no-print-directory golden-into DIR="$$(mktemp -d)" CMP=1
	tests/contract/lint.sh openapi/openapi.json

.PHONY: contract-diff
contract-diff: ## name what has changed in the contract since the last tag, or SINCE=…; fails where that breaks a client
	@tests/contract/diff.sh "$(SINCE)"

.PHONY: golden
golden: ## print the contract and the tables beside it anew
	@$(MAKE) --no-print-directory golden-into DIR=openapi

.PHONY: golden-into
golden-into:
	@$(CARGO) build --quiet --workspace
	@$(POSTERN) openapi > "$(DIR)/openapi.json"
	@for table in operations permissions problems audit-actions; do $(POSTERN) openapi --print $$table > $(DIR)/$$table.md || exit 1; done
	@if [ -n "$(CMP)" ]; then \
	    diff -ru --exclude=CHANGELOG.md openapi $(DIR) && rm -rf $(DIR) && echo "what is generated is fresh" || { echo "run 'make golden' and look at the difference"; exit 1; }; fi

.PHONY: bench
bench: ## measure, in a release build: writes figures to standard output (docs/performance.md keeps them)
	$(CARGO) build --release --workspace
	$(CARGO) run --release --quiet --package postern-tests --bin bench

.PHONY: bench-audit
bench-audit: ## measure the record in a release build: 10 million events for pages, 1 million for the log
	$(CARGO) build --release --workspace
	$(CARGO) run --release --quiet --package postern-tests --bin bench -- audit
