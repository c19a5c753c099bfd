# Migrations on this machine.
migrate:
	dbmate --no-dump-schema up
migrate-down:
	dbmate down
migrate-status:
	dbmate status
new:
	dbmate new $(NAME)
seed:
	./scripts/seed.sh
