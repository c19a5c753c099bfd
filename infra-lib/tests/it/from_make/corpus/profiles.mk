# Profiles for some calls.
up:
	docker compose up -d
monitoring:
	docker compose --profile monitoring up -d
staging:
	docker compose --profile staging up -d
staging-down:
	docker compose --profile staging down
