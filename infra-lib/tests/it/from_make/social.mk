# A platform of five services: everything by one command.
.PHONY: help setup start stop restart logs logs-backend logs-frontend logs-db build rebuild clean clean-volumes db-shell db-backup db-restore db-migrate db-seed db-reset test test-backend test-frontend lint check prod-build prod-start prod-stop ps stats shell-backend shell-db ip health update docs

COMPOSE := docker-compose
DB_USER ?= app_user
DB_NAME ?= app

help: ## Show this help
	@grep -E '^[a-zA-Z_-]+:.*?## .*$$' $(MAKEFILE_LIST) | sort | awk 'BEGIN {FS = ":.*?## "}; {printf "%-20s %s\n", $$1, $$2}'

setup: ## Create .env and folders
	@test -f .env || cp .env.example .env
	@mkdir -p backups logs
	npm install

start: ## Start all services
	@echo "Starting…"
	$(COMPOSE) up -d
	@echo "Frontend: http://localhost:5173"

stop: ## Stop all services
	$(COMPOSE) down

restart: stop start ## Restart

logs: ## All logs
	$(COMPOSE) logs -f

logs-backend: ## Logs of the backend
	$(COMPOSE) logs -f backend

logs-frontend:
	$(COMPOSE) logs -f frontend

logs-db:
	$(COMPOSE) logs -f db

build: ## Build the images
	$(COMPOSE) build

rebuild: ## Build without the cache
	$(COMPOSE) build --no-cache

clean: ## DANGEROUS: removes everything
	@read -p "Sure? " -n 1 -r; \
	if [[ $$REPLY =~ ^[Yy]$$ ]]; then \
		$(COMPOSE) down -v; \
		docker system prune -af --volumes; \
	fi

clean-volumes:
	$(COMPOSE) down -v

db-shell: ## Open psql
	$(COMPOSE) exec db psql -U $(DB_USER) -d $(DB_NAME)

db-backup: ## Dump the database
	@mkdir -p backups
	$(COMPOSE) exec -T db pg_dump -U $(DB_USER) $(DB_NAME) | gzip > backups/backup_$$(date +%Y%m%d_%H%M%S).sql.gz

db-restore: ## make db-restore FILE=x
	gunzip -c $(FILE) | $(COMPOSE) exec -T db psql -U $(DB_USER) -d $(DB_NAME) > /dev/null

db-migrate:
	$(COMPOSE) exec backend bun run migrate

db-seed:
	$(COMPOSE) exec backend bun run seed

db-reset: db-migrate db-seed
	$(COMPOSE) exec db psql -U $(DB_USER) -c "DROP DATABASE $(DB_NAME)"

test: test-backend test-frontend ## Run all tests

test-backend: ## The backend's tests
	$(COMPOSE) exec backend bun test

test-frontend:
	$(COMPOSE) run --rm frontend npm test

lint: ## Lint both
	$(COMPOSE) exec backend bun run lint
	$(COMPOSE) exec frontend npm run lint

check: lint test ## Before a commit
	@echo "All checks passed"

prod-build:
	$(COMPOSE) -f docker-compose.yml -f docker-compose.prod.yml build

prod-start:
	$(COMPOSE) --profile production up -d

prod-stop:
	$(COMPOSE) --profile production down

ps:
	$(COMPOSE) ps

stats:
	docker stats

shell-backend:
	$(COMPOSE) exec backend sh

shell-db:
	$(COMPOSE) exec db sh

ip:
	@docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' $$($(COMPOSE) ps -q)

health:
	@./scripts/health-check.sh

update:
	$(COMPOSE) pull
	$(COMPOSE) up -d

docs:
	@cat docs/DOCKER.md
