# Dumps and restores.
BACKUPS ?= backups
dump:
	@mkdir -p $(BACKUPS)
	docker compose exec -T db pg_dump -U app shop > $(BACKUPS)/shop.sql
dump-gz:
	docker compose exec -T db pg_dump -U app -d shop | gzip > shop.sql.gz
dump-all:
	docker compose exec -T db pg_dumpall -U app > all.sql
dump-users:
	docker compose exec -T db pg_dump -U app -t users shop > users.sql
restore:
	docker compose exec -T db psql -U app -d shop < $(FILE)
restore-gz:
	gunzip -c $(FILE) | docker compose exec -T db psql -U app -d shop
dump-away:
	docker compose exec -T db pg_dump -U app shop | gzip | aws s3 cp - s3://bucket/shop.gz
