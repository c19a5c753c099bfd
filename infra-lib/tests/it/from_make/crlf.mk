# Written on another system.
NAME = shop
.PHONY: hello long

hello: ## Says hello
	@echo hello $(NAME)

long:
	@printf '%s-%s\n' \
		one \
		two
