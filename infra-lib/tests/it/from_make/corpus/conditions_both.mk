# A value for each system.
ENV ?= dev
ifeq ($(shell uname),Plan9)
  SED = gsed
else
  SED = sed
endif
ifeq ($(ENV),prod)
  DC = docker compose -f compose.prod.yml
else ifeq ($(ENV),dev)
  DC = docker compose
else
  DC = docker compose --profile $(ENV)
endif
up:
	$(DC) up -d
edit:
	$(SED) -i s/a/b/ words
