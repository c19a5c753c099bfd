# Names of commands for other things.
start:
	npm start
stop:
	pkill -f vite
build:
	npm run build
clean:
	rm -rf dist
health:
	curl -fsS http://localhost:8080/health
backup:
	./scripts/backup.sh
restore:
	./scripts/restore.sh
setup:
	cp .env.example .env
	npm ci
update:
	git pull --rebase
	npm ci
db-reset:
	docker compose exec db psql -U app -d shop -c "DROP SCHEMA public CASCADE"
stats:
	docker stats --no-stream
