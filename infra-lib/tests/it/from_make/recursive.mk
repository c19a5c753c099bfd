SUBDIRS = api web

all: $(SUBDIRS)

$(SUBDIRS):
	$(MAKE) -C $@

ci:
	$(MAKE) lint
	@$(MAKE) --no-print-directory unit
	@echo "all good"

lint:
	true lint
unit:
	true unit

deploy:
	ssh prod make restart
everything:
	for dir in $(SUBDIRS); do $(MAKE) -C $$dir || exit 1; done
