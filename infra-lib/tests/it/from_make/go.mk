# A Go service.
BINARY ?= shopd
PKG    := ./...
GOFLAGS = -race
VERSION := $(shell git describe --tags)
BUILD_DIR = bin

.DEFAULT_GOAL := build

build: $(BUILD_DIR)/$(BINARY)

$(BUILD_DIR)/$(BINARY): main.go go.mod
	go build -o $@ .

release:
	go build -ldflags "-X main.version=$(VERSION)" -o $(BUILD_DIR)/$(BINARY) .

.PHONY: test
test: vet
	go test $(GOFLAGS) $(PKG)

vet:
	go vet $(PKG)

clean:
	$(RM) -r $(BUILD_DIR)

up:
	docker compose up -d

say:
	@echo $(BINARY) is a service

migrate:
	migrate -path db/migrations -database "$(DATABASE_URL)" up

image:
	docker build -t $(BINARY):dev .
