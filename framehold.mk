# SPDX-License-Identifier: MPL-2.0
# For kernels built with Make:
#
#     include framehold/framehold.mk
#     CPPFLAGS += $(FH_CPPFLAGS)
#     OBJS += $(FH_SRCS:.c=.o)
#
# Defines FH_SRCS and FH_CPPFLAGS, and FH_ARCH if you have not, nothing else:
# compilers, flags and rules are yours. Set FH_OWN_ALLOCATOR to anything before
# the include, to leave out the files that your own allocator replaces. Set
# FH_ARCH to the format of your page tables, a directory of arch/; unset, it is
# what $(CC) compiles for, if there is one for that, and x86_64 otherwise.

FH_SRCS := $(addprefix $(dir $(lastword $(MAKEFILE_LIST))), \
	$(shell sed $(if $(FH_OWN_ALLOCATOR),-e '/. *allocator$$/d') \
		-e 's/\#.*//' $(dir $(lastword $(MAKEFILE_LIST)))sources.txt))
FH_ARCH ?= $(or $(filter aarch64 loongarch64 riscv64, \
	$(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))),x86_64)
FH_CPPFLAGS := -I$(dir $(lastword $(MAKEFILE_LIST)))include \
	-I$(dir $(lastword $(MAKEFILE_LIST)))arch/$(FH_ARCH) \
	-I$(dir $(lastword $(MAKEFILE_LIST)))arch/vtd

ifeq ($(strip $(FH_SRCS)),)
$(error $(lastword $(MAKEFILE_LIST)): sources.txt cannot be read)
endif
