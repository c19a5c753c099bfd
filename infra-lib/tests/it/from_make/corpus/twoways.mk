# Two ways to migrate, and two to seed.
migrate:
	docker compose exec api npm run migrate
db-migrate:
	docker compose exec worker npx prisma migrate deploy
migrate-down:
	docker compose exec api npm run migrate:rollback
seed:
	docker compose exec api npm run seed
seed-db:
	docker compose exec -T db psql -U app -d shop < seed.sql
