# An API with Alembic.
.PHONY: up down logs migrate rollback history seed test shell psql reset
up:
	docker compose up -d
	@echo "http://localhost:8000; docs at /docs"
down:
	docker compose down
logs:
	docker compose logs -f api
migrate:
	docker compose exec api alembic upgrade head
rollback:
	docker compose exec api alembic downgrade -1
history:
	docker compose exec api alembic history --verbose
seed:
	docker compose exec api python -m shop.seed
test: up
	docker compose exec -T api pytest -q
shell:
	docker compose exec api bash
psql:
	docker compose exec db psql -U app -d shop
reset: down up migrate seed
