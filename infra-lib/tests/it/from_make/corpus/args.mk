# Arguments from the command line.
test:
	docker compose exec -T api pytest $(ARGS)
file:
	docker compose exec -T api pytest tests/$(NAME).py -q
logs:
	@test -n "$(SERVICE)" || { echo "usage: make logs SERVICE=x"; exit 1; }
	docker compose logs -f $(SERVICE)
new:
	touch migrations/$(NAME).sql
sql:
	docker compose exec -T db psql -U app -d shop -c '$(SQL)'
