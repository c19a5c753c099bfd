# Names that say one thing, and recipes that do another.
stop:
	docker compose up -d
start:
	docker compose restart
down:
	docker compose down -v
restart: stop start
deploy:
	docker compose exec api ./deploy
release:
	git push --tags
rollback:
	docker service rollback shop_api
