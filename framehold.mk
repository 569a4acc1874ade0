# SPDX-License-Identifier: MPL-2.0
# For kernels built with Make:
#
#     include framehold/framehold.mk
#     CPPFLAGS += $(FH_CPPFLAGS)
#     OBJS += $(FH_SRCS:.c=.o)
#
# Defines FH_SRCS and FH_CPPFLAGS, nothing else: compilers, flags and rules are
# yours. Set FH_OWN_ALLOCATOR to anything before the include, to leave out the
# files that your own allocator replaces.

FH_SRCS := $(addprefix $(dir $(lastword $(MAKEFILE_LIST))), \
	$(shell sed $(if $(FH_OWN_ALLOCATOR),-e '/. *allocator$$/d') \
		-e 's/\#.*//' $(dir $(lastword $(MAKEFILE_LIST)))sources.txt))
FH_CPPFLAGS := -I$(dir $(lastword $(MAKEFILE_LIST)))include

ifeq ($(strip $(FH_SRCS)),)
$(error $(lastword $(MAKEFILE_LIST)): sources.txt cannot be read)
endif
