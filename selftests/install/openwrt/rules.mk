# SPDX-License-Identifier: GPL-2.0
# The part of rules.mk that our OpenWrt package uses, with this machine's tools. Used by
# test_openwrt.sh alone.
INCLUDE_DIR := $(TOPDIR)/include
BUILD_DIR := $(OUT)/build
CP := cp -fpR
INSTALL_BIN := install -m0755
INSTALL_DIR := install -d -m0755
INSTALL_DATA := install -m0644
INSTALL_CONF := install -m0600
MAKE_VARS :=
MAKE_FLAGS :=
PKG_JOBS :=
all: compile
