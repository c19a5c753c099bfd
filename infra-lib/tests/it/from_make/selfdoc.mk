.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

## -- Development --

## Start what is needed
up:
	docker compose up -d --build

## down: Stop it
down:
	docker compose down

## count: Count the words of a text
count: words
	@cat words | wc -w | tr -d ' '

greet: ## Say hello to whoever calls
	@echo "hello $$GREETED"

.PHONY: help
help:
	@awk 'BEGIN {FS = ":.*##"} /^[a-zA-Z_0-9-]+:.*?##/ { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
