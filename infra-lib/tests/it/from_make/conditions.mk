OS := $(shell uname)
ifeq ($(OS),Darwin)
  SED = gsed
else
  SED = sed
endif

ifneq (,$(wildcard .env))
    include .env
    export
endif

export COMPOSE_DOCKER_CLI_BUILD = 1
TOKEN := hunter2hunter2
STAMP != date

replace:
	$(SED) -i s/a/b/ x
check-env:
ifndef STAGE
	$(error STAGE is undefined)
endif
	echo $(STAGE)
publish: check-env
	./publish
upload:
	curl -H "Authorization: $(TOKEN)" https://example.com
login:
	docker login -u me --password=hunter2hunter2
stamp:
	echo $(STAMP)
ifdef CI
only-ci:
	echo ci
endif
