# Each target is one line; what takes more lives in tests/tools and xtask.
.DEFAULT_GOAL := help
.PHONY: help run test check fmt bench openapi screenshots

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Serve a demo: everything embedded, simulated providers, a key to call it with
	@tests/tools/run-demo

test: ## Install what the tests need and run all of them
	@tests/tools/test-everything

check: ## Formatting, lints as errors, house rules; needs no server
	@tests/tools/check

fmt: ## Format the code
	@cargo fmt --all

bench: ## Measure what the gateway costs per request and per streamed chunk
	@tests/tools/bench

openapi: ## Write openapi.yaml from the routes
	@UPDATE_OPENAPI=1 cargo test --quiet --package switchyard-edge openapi

screenshots: ## Show every page of the console in both themes at both widths
	@tests/tools/screenshots
