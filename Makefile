# weft - see README.md; `make help` lists the targets
#
# Everything is found by its place: core/ codec/ patterns/ adapters/ make the library, cli/ the
# program, each tests/test_X.c a program of unit tests (with the other tests/*.c as their common
# ground), each bench/X.c, examples/X.c and tests/fuzz/fuzz_X.c a program of its own.

BUILD   ?= build
PREFIX  ?= /usr/local
ifeq ($(origin CC),default)
CC      := gcc
endif
CFLAGS  ?= -O2 -g
FUZZ_SECONDS ?= 30
SOAK    ?= 10000

VERSION := $(shell sed -n 's/^\#define WEFT_VERSION "\(.*\)"/\1/p' include/weft.h)
SONAME  := libweft.so.$(firstword $(subst ., ,$(VERSION)))
PKGS    := libzmq libczmq msgpack sqlite3 libuv libssl libcrypto zlib
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS    := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lhttp_parser -lpthread
WARN    := -Wall -Wextra -Wshadow -Wconversion
compile  = $(CC) -std=gnu11 $(WARN) -fPIC -fvisibility=hidden -D_GNU_SOURCE -Iinclude -I. $(PKG_CFLAGS) $(CFLAGS)
link     = $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^)

LIB_SRC := $(wildcard core/*.c codec/*.c patterns/*.c adapters/*.c)
CLI_SRC := $(wildcard cli/*.c)
SUP_SRC := $(filter-out tests/test_%.c,$(wildcard tests/*.c))
TST_SRC := $(wildcard tests/test_*.c)
FUZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
BEN_SRC := $(wildcard bench/*.c)
AGT_SRC := $(wildcard tests/agents/*.c)
EXA_SRC := $(wildcard examples/*.c)
ALL_SRC := $(LIB_SRC) $(CLI_SRC) $(SUP_SRC) $(TST_SRC) $(wildcard tests/fuzz/*.c) $(BEN_SRC) $(AGT_SRC)

objects  = $(patsubst %.c,$(BUILD)/%.o,$(1))
PROGRAM := $(if $(filter cli/main.c,$(CLI_SRC)),$(BUILD)/weft)
SHARED  := $(BUILD)/libweft.so
TESTS   := $(patsubst tests/%.c,$(BUILD)/%,$(TST_SRC))
REPLAYS := $(patsubst tests/fuzz/%.c,$(BUILD)/replay/%,$(FUZ_SRC))
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzzer/%,$(FUZ_SRC))
BENCHES := $(patsubst %.c,$(BUILD)/%,$(BEN_SRC))
EXAMPLES := $(patsubst %.c,$(BUILD)/%,$(EXA_SRC))
AGENTS  := $(BUILD)/agents

# A short line for a long command; V=1 shows the command.
short    = $(if $(V),,@echo "  $(1)  $(@F)";)

# As many jobs as processors where the caller has not said how many.
JOBS     = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))
RUN      = BUILD=$(abspath $(BUILD)) CC="$(CC)" MAKE="$(MAKE)" tests/run

all: $(if $(LIB_SRC),$(BUILD)/libweft.a $(SHARED)) $(PROGRAM) ## the library and the program

# ------------------------------------------------------------------ the parts

$(BUILD)/packages: tests/packages
	@mkdir -p $(@D)
	@CC="$(CC)" tests/packages build
	@touch $@

$(BUILD)/%.o: %.c | $(BUILD)/packages
	@mkdir -p $(@D)
	$(call short,cc)$(compile) -MMD -MP -c $< -o $@

define archive
@mkdir -p $(@D); rm -f $@
$(call short,ar)ar rcs $@ $^
endef

# For our own programs, with what is internal; users get libweft.a, without.
$(BUILD)/internal.a: $(call objects,$(LIB_SRC))
	$(archive)
$(BUILD)/cli.a: $(call objects,$(filter-out cli/main.c,$(CLI_SRC)))
	$(archive)
$(BUILD)/support.a: $(call objects,$(SUP_SRC))
	$(archive)

$(BUILD)/libweft.a: $(call objects,$(LIB_SRC))
	@rm -f $@; ld -r -o $(BUILD)/libweft.o $^
	@objcopy --localize-hidden $(BUILD)/libweft.o
	$(call short,ar)ar rcs $@ $(BUILD)/libweft.o
$(SHARED): $(call objects,$(LIB_SRC))
	$(call short,ld)$(link) -shared -Wl,-soname,$(SONAME) -Wl,--no-undefined,--as-needed $(LIBS)
	@ln -sf libweft.so $(BUILD)/$(SONAME)

# What it takes in as it is.
$(BUILD)/cli/embedded.o: cli/default.zpl
$(BUILD)/adapters/ws_page.o: adapters/ws_chat.html

# Exported so that libzmq finds them before libc's: see cli/descriptors.c.
$(BUILD)/weft: $(BUILD)/cli/main.o $(BUILD)/cli.a $(BUILD)/internal.a
	$(call short,ld)$(link) -Wl,--export-dynamic-symbol=accept,--export-dynamic-symbol=accept4 $(LIBS)
$(TESTS): $(BUILD)/%: $(BUILD)/tests/%.o $(BUILD)/support.a $(BUILD)/cli.a $(BUILD)/internal.a
	$(call short,ld)$(link) $(LIBS) -lcmocka
$(BENCHES): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/internal.a
	$(call short,ld)$(link) $(LIBS) -lm
$(AGENTS): $(call objects,$(AGT_SRC)) $(BUILD)/internal.a
	$(call short,ld)$(link) $(LIBS)
$(REPLAYS): $(BUILD)/replay/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/tests/fuzz/replay.o $(BUILD)/cli.a $(BUILD)/internal.a
	@mkdir -p $(@D)
	$(call short,ld)$(link) $(LIBS)
$(FUZZERS): $(BUILD)/fuzzer/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/cli.a $(BUILD)/internal.a
	@mkdir -p $(@D)
	$(call short,ld)$(link) -fsanitize=fuzzer $(LIBS)

# An example sees what a user sees: weft.h and libweft.
$(EXAMPLES): $(BUILD)/%: %.c include/weft.h $(SHARED)
	@mkdir -p $(@D)
	$(call short,cc)$(CC) -std=gnu11 $(WARN) -Iinclude $(CFLAGS) $< -o $@ -L$(BUILD) -Wl,-rpath,$(abspath $(BUILD)) -lweft

# ----------------------------------------------------------------- for people

demo: ## build, then see a pool at work, and the patterns
	@CC="$(CC)" tests/packages --install build demo
	@+$(MAKE) $(JOBS) --no-print-directory all
	@WEFT=$(abspath $(BUILD))/weft examples/demo.sh

examples: $(EXAMPLES) ## the example programs, in $(BUILD)/examples

bench: ## measure, side by side with others
	@CC="$(CC)" tests/packages --install build bench
	@+$(MAKE) $(JOBS) --no-print-directory all $(BENCHES)
	@npm ci --prefix tests/interop --ignore-scripts --prefer-offline --silent || echo "bench: npm ci has failed: no ws"
	@BUILD=$(abspath $(BUILD)) WEFT=$(abspath $(BUILD))/weft bench/run

help: ## this list
	@sed -n 's|$$(BUILD)|$(BUILD)|g; s|^\([a-z-]*\):.*## \(.*\)|  \1\t\2|p' Makefile | expand -t 20
	@echo; echo "  BUILD=$(BUILD) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)"
	@echo "  CC=$(CC) CFLAGS=$(CFLAGS) FUZZ_SECONDS=$(FUZZ_SECONDS) SOAK=$(SOAK) V=$(V)"

# -------------------------------------------------------------------- testing

check: all $(TESTS) $(REPLAYS) ## the unit tests, in seconds
	@$(RUN) unit corpus floors symbols

test: ## everything: installs what it needs, under 10 minutes
	@CC="$(CC)" tests/packages --install build check test
	@+$(MAKE) $(JOBS) --no-print-directory all $(TESTS) $(REPLAYS) $(BENCHES) $(AGENTS) $(EXAMPLES)
	@+$(RUN) unit corpus floors symbols scripts manual install programs fault interop $(MORE)

soak: all $(AGENTS) ## SOAK faults at random (SEED=N: the same again) on a pool of real processes, then on 1,000 workers
	@WEFT=$(abspath $(BUILD))/weft /usr/bin/python3 tests/fault/pool_chaos.py -v --faults $(SOAK) \
	    --seed $(or $(SEED),$(shell date +%s))
	@WEFT=$(abspath $(BUILD))/weft /usr/bin/python3 tests/fault/pool_agents.py --jobs $$((100 * $(SOAK))) \
	    --longest 50 --seed $(or $(SEED),$(shell date +%s))

SANITIZE := -O1 -g -fno-omit-frame-pointer
check-asan: ## the tests under the address and undefined behaviour sanitizers
	@CC="$(CC)" tests/packages --install build check test
	@+ASAN_OPTIONS=quarantine_size_mb=4 $(MAKE) $(JOBS) --no-print-directory BUILD=$(BUILD)/asan \
	    CFLAGS="$(SANITIZE) -fsanitize=address,undefined -fno-sanitize-recover=undefined" check-sanitized
check-tsan: ## the unit tests under the thread sanitizer
	@CC="$(CC)" tests/packages --install build check
	@+TSAN_OPTIONS=ignore_noninstrumented_modules=1 $(MAKE) $(JOBS) --no-print-directory BUILD=$(BUILD)/tsan \
	    CFLAGS="$(SANITIZE) -fsanitize=thread" PARTS="unit" check-sanitized
check-sanitized: $(PROGRAM) $(TESTS) $(REPLAYS) $(BENCHES) $(AGENTS)
	@+$(RUN) $(or $(PARTS),unit corpus programs)

fuzz: ## run each fuzz target for FUZZ_SECONDS
	@CC=clang tests/packages --install build fuzz
	@+$(MAKE) $(JOBS) --no-print-directory CC=clang BUILD=$(BUILD)/fuzz \
	    CFLAGS="$(SANITIZE) -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined" fuzz-build
	@BUILD=$(abspath $(BUILD))/fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run
fuzz-build: $(FUZZERS)

lint: ## a second compiler, the layout, clang-tidy, shellcheck
	@CC="$(CC)" tests/packages --install build check lint
	@+$(MAKE) $(JOBS) --no-print-directory CC=clang CFLAGS="-O1 -Werror" BUILD=$(BUILD)/clang lint-build
	@$(RUN) floors layout scripts tidy
lint-build: $(PROGRAM) $(SHARED) $(TESTS) $(REPLAYS) $(BENCHES) $(AGENTS)

format: ## the style of the house, for the lines that you have changed
	@tests/packages --install format
	git clang-format --extensions c HEAD || true

# --------------------------------------------------------- words, from the code

# The program writes its own pages and completion; weft.h's comments make those of the library.
PAGES := $(patsubst docs/man/%.in,$(BUILD)/man/%,$(wildcard docs/man/*.3.in)) \
    $(patsubst docs/%,$(BUILD)/%,$(wildcard docs/man/*.[57]))
manual: $(BUILD)/man/weft.1 $(PAGES) $(BUILD)/completion ## the man pages, in $(BUILD)/man

$(BUILD)/man/weft.1: $(BUILD)/weft
	@mkdir -p $(@D); rm -f $(@D)/weft-*.1
	$(call short,man)$< help --man weft > $@
	@$< help --man weft-options > $(@D)/weft-options.7
	@$< help --man weft-metrics > $(@D)/weft-metrics.7
	@for page in $$(sed -n 's/^\.It Xr \(weft-[a-z]*\) 1$$/\1/p' $@); do \
	    $< help --man $$page > $(@D)/$$page.1 || exit; done
$(BUILD)/man/%.3: docs/man/%.3.in docs/man/declarations.awk include/weft.h
	@mkdir -p $(@D)
	$(call short,man)awk -f docs/man/declarations.awk include/weft.h $< > $@
	@for call in $$(awk -v list=1 -f docs/man/declarations.awk include/weft.h $<); do \
	    [ $$call = $* ] || ln -sf $(@F) $(@D)/$$call.3; done
$(patsubst docs/%,$(BUILD)/%,$(wildcard docs/man/*.[57])): $(BUILD)/man/%: docs/man/%
	@mkdir -p $(@D); cp $< $@
$(BUILD)/completion: $(BUILD)/weft
	@$< help --completion bash > $@

# ----------------------------------------------------------------- installing

D := $(DESTDIR)$(PREFIX)
install: all manual ## the program, the library, weft.h, weft.pc, man pages, completion
	install -d $(D)/bin $(D)/include $(D)/lib/pkgconfig $(D)/share/man/man1 $(D)/share/man/man3 \
	    $(D)/share/man/man5 $(D)/share/man/man7 $(D)/share/bash-completion/completions
	install -m 755 $(BUILD)/weft $(D)/bin/
	install -m 644 include/weft.h $(D)/include/
	install -m 644 $(BUILD)/libweft.a $(D)/lib/
	install -m 755 $(SHARED) $(D)/lib/libweft.so.$(VERSION)
	ln -sf libweft.so.$(VERSION) $(D)/lib/$(SONAME)
	ln -sf $(SONAME) $(D)/lib/libweft.so
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' include/weft.pc.in > $(D)/lib/pkgconfig/weft.pc
	install -m 644 $(BUILD)/completion $(D)/share/bash-completion/completions/weft
	for s in 1 3 5 7; do cp -P $(BUILD)/man/*.$$s $(D)/share/man/man$$s/; done
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ldconfig

# By name, not by what is built: only what an install of this version put there.
uninstall: manual ## takes all of it away again
	rm -f $(D)/bin/weft $(D)/include/weft.h $(D)/lib/libweft.a $(D)/lib/libweft.so $(D)/lib/$(SONAME) \
	    $(D)/lib/libweft.so.$(VERSION) $(D)/lib/pkgconfig/weft.pc $(D)/share/bash-completion/completions/weft
	for page in $$(ls $(BUILD)/man); do rm -f $(D)/share/man/man$${page##*.}/$$page; done

dist: ## weft-VERSION.tar.gz, of what is committed
	git archive --format=tar.gz --prefix=weft-$(VERSION)/ -o weft-$(VERSION).tar.gz HEAD || \
	    { rm -f weft-$(VERSION).tar.gz; exit 1; }

clean: ## what was built
	rm -rf $(BUILD)

-include $(patsubst %.o,%.d,$(call objects,$(ALL_SRC)))
.PHONY: all demo examples bench help check test soak check-asan check-tsan check-sanitized fuzz fuzz-build \
    lint lint-build format manual install uninstall dist clean
.SECONDARY:
.DELETE_ON_ERROR:
