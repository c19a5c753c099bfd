# Shell in recipes.
SHELL := /bin/bash
wait:
	@for i in 1 2 3; do \
		pg_isready -h localhost && break; \
		sleep 1; \
	done
move:
	cd web && npm ci
	-rm -f stale
	npm test
ask:
	@read -p "Sure? " answer; [ "$$answer" = y ] || exit 1
	docker compose down -v
chain:
	docker compose down && docker compose up -d
