# weft - see README.md; `make help` lists the targets
BUILD   ?= build
CC      ?= gcc
PKGS    := libzmq libczmq msgpack
CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wshadow -Wconversion
ALLC    = -std=gnu11 $(WARN) -fPIC -fvisibility=hidden -D_GNU_SOURCE -Iinclude -I. $(shell pkg-config --cflags $(PKGS)) $(CFLAGS)
LIBS    = $(shell pkg-config --libs $(PKGS)) -lpthread

LIB_SRC := $(wildcard core/*.c codec/*.c patterns/*.c adapters/*.c)
CLI_SRC := $(filter-out cli/main.c,$(wildcard cli/*.c))
SUP_SRC := $(filter-out tests/test_%.c,$(wildcard tests/*.c))
TESTS   := $(patsubst tests/%.c,$(BUILD)/%,$(wildcard tests/test_*.c))
obj      = $(patsubst %.c,$(BUILD)/%.o,$(1))

all: $(BUILD)/libweft.a $(if $(wildcard cli/main.c),$(BUILD)/weft)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALLC) -MMD -MP -c $< -o $@

$(BUILD)/libweft.a: $(call obj,$(LIB_SRC))
	@mkdir -p $(@D); rm -f $@; ar rcs $@ $^
$(BUILD)/cli.a: $(call obj,$(CLI_SRC))
	@mkdir -p $(@D); rm -f $@; ar rcs $@ $^
$(BUILD)/support.a: $(call obj,$(SUP_SRC))
	@mkdir -p $(@D); rm -f $@; ar rcs $@ $^
$(BUILD)/weft: $(call obj,cli/main.c) $(BUILD)/cli.a $(BUILD)/libweft.a
	$(CC) -o $@ $^ $(LDFLAGS) $(LIBS)
$(TESTS): $(BUILD)/%: $(BUILD)/tests/%.o $(BUILD)/support.a $(BUILD)/cli.a $(BUILD)/libweft.a
	$(CC) -o $@ $^ $(LDFLAGS) $(LIBS) -lcmocka

check: $(TESTS)
	@set -e; for t in $(TESTS); do $$t; done
clean:
	rm -rf $(BUILD)
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all check clean
.SECONDARY:
