# Needs on commands with arguments.
fresh: wipe up
wipe:
	docker compose down -v
up: images
	docker compose up -d
images:
	docker compose build --no-cache
check: up
	docker compose exec -T api pytest
prod: TARGET = production
prod: images
	echo $(TARGET)
