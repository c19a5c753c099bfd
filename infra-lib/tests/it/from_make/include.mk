include .env
-include local.mk
include common.mk
include ../outside.mk
include $(wildcard mk/*.mk)

first: shared
	echo first
