SHARED = from the other file
shared:
	@echo $(SHARED)
