# What only prints.
up:
	@echo "Starting; please wait && watch"
	@printf 'one\ttwo; three\n'
	docker compose up -d
	@sleep 1; echo "done"
stop:
	@echo 'stopping > everything'
	docker compose stop
write:
	@echo hello > greeting
	docker compose ps
