# Calls with options that no command has.
up:
	docker compose up -d --build --remove-orphans
fg:
	docker compose up
build:
	docker compose build --pull
rebuild:
	docker compose build --no-cache api
one:
	docker compose up -d api
down-one:
	docker compose down --volumes api
nuke:
	docker compose down --rmi local --volumes
refresh:
	docker compose pull
	docker compose up -d
tail:
	docker compose logs -f --tail=50 api
since:
	docker compose logs --since 10m api
volumes:
	docker volume rm store_data
root:
	docker compose exec -u root api id
env:
	docker compose exec -e DEBUG=1 api env
workdir:
	docker compose run --rm -w /src api ls
