# SPDX-License-Identifier: GPL-2.0
# make                 modules for the running kernel, and the tool
# make install         both, and depmod
# make deb             Debian packages, in build/deb
# make check           every test, in a VM; installs what that needs
# make demo            two clients of each VPN, stock against vpnpass
# make help            the rest
#
# KDIR=       kernel build tree (default: that of the running kernel, or else the
#             newest that is installed)
# ARCH= CROSS_COMPILE= LLVM=1 C=1 W=1    as for the kernel
# DESTDIR= PREFIX=                       for make install

KVER ?= $(shell uname -r)
KDIR ?= $(or $(wildcard /lib/modules/$(KVER)/build),\
	$(lastword $(shell ls -d /lib/modules/*/build /usr/src/linux-headers-*[!n] 2>/dev/null | sort -V)))
PREFIX ?= /usr/local
MODULES := $(CURDIR)
# what calls it begins with +, or make -jN would not reach kbuild
KBUILD = $(MAKE) -C $(KDIR) M=$(MODULES)

all: modules tools

help:
	@sed -n 's/^# \(make .*\)/\1/p' $(firstword $(MAKEFILE_LIST))
	@echo 'make unit            tests of the pure code and the tool, on this machine'
	@echo 'make sim             the ESP pairing simulator: the table'
	@echo 'make sim-matrix      all of it, kept; make mutate: each pairing rule has its test'
	@echo 'make fuzz-smoke      every fuzz target on its corpus and for a minute'
	@echo 'make build-all       the modules, for every kernel and architecture'
	@echo "make check-upstream  the kernel's own netfilter tests, without vpnpass and with it"
	@echo 'make bench           instructions per packet, set-up, memory; tables'
	@echo 'make bench-check     part of it, against selftests/bench/results'
	@echo 'make parity          a hundred thousand random sequences against two routers'
	@echo 'make check-install   Debian packages on a clean Debian: install, upgrade, remove;'
	@echo '                     and Cockpit there, with its page, from a browser'
	@echo 'make check-pages     the admin pages in a browser, with a guest as the router'
	@echo 'make style           checkpatch, sparse, shellcheck, spec, layers'
	@echo 'make check T="..."   only these tests, e.g. T=esp/test_two_clients.sh'

preflight:
	@scripts/preflight "$(KDIR)"

modules: preflight
	+$(KBUILD) modules

modules_install: modules
	+$(KBUILD) modules_install $(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR))

tools:
	$(MAKE) -C tools

install: modules_install tools
	$(MAKE) -C tools install DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	$(MAKE) -C packaging install DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)

# what dkms.conf calls: a helper that does not build stops no other
dkms: preflight
	+@scripts/dkms-build "$(KDIR)"

deb:
	@packaging/deb

clean-modules:
	+@if [ -d "$(KDIR)" ]; then $(KBUILD) clean; fi

clean: clean-modules
	$(MAKE) -C tools clean
	$(MAKE) -C selftests clean

generate:
	uapi/generate.py

# --- tests: selftests/Makefile ------------------------------------------------
check check-debug check-install check-pages check-upstream build-all demo bench bench-check parity unit sim sim-matrix mutate fuzz-smoke style:
	$(MAKE) -C selftests $@

.PHONY: all help preflight modules modules_install tools install dkms deb clean \
	clean-modules generate \
	check check-debug check-install check-pages check-upstream build-all demo bench bench-check parity unit sim \
	sim-matrix mutate fuzz-smoke style
