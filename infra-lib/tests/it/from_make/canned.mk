define compile
	@echo compiling $(1)
	cc -c $(1)
endef

define usage =
one
define inner
endef
two
endef

main:
	$(call compile,main.c)
other:
	$(compile)
plain:
	echo plain
$(eval generated: ; true)
$(foreach name,a b,$(eval $(name): ; true))
