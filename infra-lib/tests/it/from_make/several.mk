.PHONY: red green blue prod-info
ENVIRONMENT = development

red green blue:
	@echo colour $@

info prod-info:
	@echo "environment: $(ENVIRONMENT)"
prod-info: ENVIRONMENT = production

test:: unit
	echo one
test:: 
	echo two
unit: ; @echo unit
twice:
	echo first
twice:
	echo second
a b &: ; true
loop-a: loop-b
loop-b: loop-a
lost:
order: | unit
	@echo ordered
