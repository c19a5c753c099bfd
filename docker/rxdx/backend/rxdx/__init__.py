"""RxDx: requirements, what verifies them, and who changed what."""
