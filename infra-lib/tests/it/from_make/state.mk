.PHONY: wait stage tidy
wait:
	@for i in 1 2 3; do \
		echo "try $$i"; \
	done

stage:
	cd web && echo built
	echo $$PWD | sed 's,.*/,,'

tidy:
	-rm no-such-file-anywhere
	echo tidied
reap:
	docker rm -f $$(docker ps -aq)
space:
	docker system prune -af
	docker volume prune -f
