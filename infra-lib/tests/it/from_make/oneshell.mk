.ONESHELL:
.RECIPEPREFIX = >
.PHONY: state

state:
> @cd sub
> pwd | sed 's,.*/,,'
> x=kept
> echo "$$x"
