# What reaches beyond the project.
clean:
	docker compose down
	docker system prune -af
images:
	docker image prune -f
everything: clean
	rm -rf out
tidy:
	rm -rf out
