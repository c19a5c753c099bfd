# Make in recipes.
all: build
	$(MAKE) lint
	go vet ./...
	$(MAKE) test
build:
	docker compose build
lint:
	golint ./...
test: generate
	go test ./...
generate:
	go generate ./...
ci:
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory test
