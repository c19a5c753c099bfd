# Two environments by files.
DC := docker compose -f compose.yml
PROD := $(DC) -f compose.prod.yml
up:
	$(DC) up -d
prod:
	$(PROD) up -d
prod-logs:
	$(PROD) logs -f api
prod-shell:
	$(PROD) exec api sh
prod-pytest:
	$(PROD) exec api pytest
down:
	$(DC) down
