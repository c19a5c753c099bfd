# Help in two forms.
.DEFAULT_GOAL := help
help: ## Show this help
	@grep -E '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*?## "}; {printf "%-10s %s\n", $$1, $$2}'
usage:
	@echo "make up"
	@echo "make down"
up: ## Start
	docker compose up -d --wait
