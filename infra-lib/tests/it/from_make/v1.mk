DC=docker-compose -f docker-compose.yml
DC_PROD=docker-compose -f docker-compose.yml -f docker-compose.prod.yml

dev:
	$(DC) up
dev-bg:
	$(DC) up -d
down:
	$(DC) down --remove-orphans
destroy:
	$(DC) down -v --rmi local
prod:
	$(DC_PROD) up -d
bash:
	$(DC) exec web bash
psql:
	$(DC) exec db psql -U shop shop
manage:
	$(DC) run --rm web python manage.py $(CMD)
pytest:
	$(DC) run --rm web pytest -q
fresh: destroy dev-bg
reseed:
	-$(DC) exec web python manage.py flush --no-input
	$(DC) exec web python manage.py loaddata demo
