# Every call has a name, a file, an env file and a profile.
DC = docker compose -p store -f stack/compose.yml --env-file .env.local --profile web
up:
	$(DC) up -d
ps:
	$(DC) ps
restart:
	$(DC) restart api
tools:
	$(DC) --profile tools run --rm tool
