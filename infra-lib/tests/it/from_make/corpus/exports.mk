# Variables for all commands.
export COMPOSE_PROJECT_NAME := warehouse
export TAG = 7
up:
	docker compose up -d
test:
	go test ./...
