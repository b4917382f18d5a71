# SPDX-License-Identifier: GPL-2.0
# In place of package.mk: the steps of a package, one target each.
define BuildPackage
$(eval $(call Package/$(1)))
$(info package $(1) depends $(strip $(DEPENDS)) title $(TITLE))
prepare:
	$(call Build/Prepare)
compile: prepare
	$(call Build/Compile)
install-$(1): compile
	$(call Package/$(1)/install,$(OUT)/$(1))
config-depends:
	@echo $(PKG_CONFIG_DEPENDS)
facts:
	@echo '$(PKG_LICENSE), $(PKG_MAINTAINER), $(PKG_URL), $(PKG_FLAGS)'
postinst-$(1):
	$$(file > $(OUT)/postinst,$$(Package/$(1)/postinst))
.PHONY: prepare compile config-depends facts
endef
