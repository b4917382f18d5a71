# SPDX-License-Identifier: GPL-2.0
# In place of kernel.mk: the kernel's make is a script that writes down how it was
# called and makes what it was asked for; a kmod package is its .ko files.
KERNEL_MAKE := $(TOPDIR)/kernel-make $(OUT)/kernel-make
PKG_BUILD_DIR ?= $(OUT)/build/$(PKG_NAME)-$(PKG_VERSION)

define KernelPackage
$(eval $(call KernelPackage/$(1)))
$(info package kmod-$(1) depends $(strip $(DEPENDS)) title $(TITLE))
files-$(1) := $(FILES)
install-kmod-$(1): compile
	mkdir -p $(OUT)/kmod-$(1)
	cp $$(files-$(1)) $(OUT)/kmod-$(1)/
endef
