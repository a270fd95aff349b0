# stint: GNU make, no configure.
#   make                  release build: bin/stint, bin/stint-scheduler, bin/stint-agent
#   make deps             installs what Debian 12 lacks to build and test it (root only if something is missing)
#   make demo             the five-minute tour, in half a minute: a cluster on this machine, twenty workloads, gone again
#   make test             unit and system tests on the sandbox, and the same with sanitizers
#   make e2e              the end-to-end cases on the sandbox, on a real control plane and on a real node (root)
#   make bench            figures against their bars
#   make fuzz             the readers of foreign bytes, a minute each
#   make lint             format, clang-tidy, cppcheck, our own rules
#   make image            OCI archives in build/images, without a daemon
#   make install | uninstall   PREFIX (/usr/local), DESTDIR
#   make clean
# Variables: SAN=address,undefined builds with sanitizers in folders of its own; WERROR=1 makes warnings errors, as in CI.

VERSION := 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
CC = gcc
PYTHON ?= python3

ifdef SAN
B := build/san
BIN := build/san/bin
else
B := build/release
BIN := bin
endif

PACKAGES := libcurl libcjson yaml-0.1 libmicrohttpd gnutls zlib libcrypto
PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lwslay -lm

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings \
	-Wvla -Wformat=2 -Wimplicit-fallthrough -Wundef
# Level 3 is known to GCC from 12 on.
FORTIFY := $(shell [ "$$($(CC) -dumpversion 2>/dev/null | cut -d. -f1)" -ge 12 ] 2>/dev/null && echo 3 || echo 2)
HARDENING := -fstack-protector-strong -fstack-clash-protection -fPIE
CFLAGS_ALL := -std=c11 -D_GNU_SOURCE $(if $(SAN),-g1,-g) -fno-omit-frame-pointer -fvisibility=hidden -ffile-prefix-map=$(CURDIR)=. \
	$(WARNINGS) $(HARDENING) -Iinclude -I. $(PKG_CFLAGS) -DSTINT_VERSION='"$(VERSION)"' -MMD -MP
LDFLAGS_ALL := -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--build-id=sha1 -Wl,--as-needed
# The sanitized programs run in tests alone, and unit tests once: what their compiler does not do is sooner done.
OPTIMISE := $(if $(SAN),-O1,-O2 -D_FORTIFY_SOURCE=$(FORTIFY))
$(B)/tests/unit/%.o: OPTIMISE := -O0
$(B)/tests/unit/engine/test_properties.o: OPTIMISE := -O2
ifdef SAN
CFLAGS_ALL += -fsanitize=$(SAN) -fno-sanitize-recover=all
LDFLAGS_ALL += -fsanitize=$(SAN)
endif
ifdef WERROR
CFLAGS_ALL += -Werror
endif
CFLAGS_ALL += $(CFLAGS)
LDFLAGS_ALL += $(LDFLAGS)

sources = $(sort $(foreach folder,$(1),$(wildcard $(folder)/*.c $(folder)/*/*.c $(folder)/*/*/*.c)))
objects = $(patsubst %.c,$(B)/%.o,$(1))

CORE := $(call objects,$(call sources,core))
CLI := $(call objects,$(call sources,cli))
SCHEDULER := $(call objects,$(call sources,scheduler))
AGENT := $(call objects,$(call sources,agent))
# The programs without their main(), for tests that look inside them.
PARTS := $(filter-out %/main.o,$(CLI) $(SCHEDULER) $(AGENT))
TESTS := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/unit/*/test_*.c)))
BENCHES := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/bench/bench_*.c)))
FUZZERS := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
PROGRAMS := $(BIN)/stint $(BIN)/stint-scheduler $(BIN)/stint-agent

.PHONY: all
all: $(PROGRAMS)

$(B)/libstint.a: $(CORE)
	@rm -f $@
	@$(AR) rcsD $@ $^

$(B)/libparts.a: $(PARTS)
	@rm -f $@
	@$(AR) rcsD $@ $^

$(BIN)/stint: $(CLI) $(B)/libstint.a
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(BIN)/stint-scheduler: $(SCHEDULER) $(B)/libstint.a
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(BIN)/stint-agent: $(AGENT) $(B)/libstint.a
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS) -ldl

$(B)/tests/%: $(B)/tests/%.o $(B)/libparts.a $(B)/libstint.a
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS) -lcmocka -lm

$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/driver.o $(B)/libparts.a $(B)/libstint.a
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS) -lm

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(OPTIMISE) $(CFLAGS_ALL) -c -o $@ $<

-include $(shell find $(B) -name '*.d' 2>/dev/null)

.SECONDARY:
.PHONY: unit-tests
unit-tests: $(TESTS) $(if $(SAN),$(FUZZERS))

# ---- tests ----

.PHONY: test
test:
	@tests/passes release sanitized

.PHONY: e2e
e2e: all
	@tests/passes e2e

.PHONY: bench
bench: all $(BENCHES)
	@tests/bench/run

# Each reader of foreign bytes for FUZZ_SECONDS (60), sanitized. `make test` gives each of them two seconds.
.PHONY: fuzz
fuzz:
	@$(MAKE) --no-print-directory SAN=address,undefined unit-tests
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-60} tests/run --build build/san fuzz

.PHONY: lint
lint:
	@tools/lint-all

.PHONY: demo
demo: deps
	@$(MAKE) --no-print-directory -j"$$(nproc)" all
	@tools/demo

.PHONY: deps deps-lint deps-e2e
deps:
	@tools/deps build
deps-lint:
	@tools/deps build lint
deps-e2e:
	@tools/deps build e2e

# ---- packaging ----

.PHONY: image
image: all
	tools/image --program bin/stint-scheduler --name stint-scheduler:$(VERSION) --output build/images/stint-scheduler.tar
	tools/image --program bin/stint-agent --name stint-agent:$(VERSION) --output build/images/stint-agent.tar

MAN := $(wildcard man/*.1)
MAN_FOLDER = $(DESTDIR)$(PREFIX)/share/man/man1
COMPLETIONS = bash-completion/completions/stint:stint.bash zsh/site-functions/_stint:_stint fish/vendor_completions.d/stint.fish:stint.fish

.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(MAN_FOLDER)
	install -m 755 bin/stint bin/stint-scheduler bin/stint-agent $(DESTDIR)$(PREFIX)/bin
	ln -sf stint $(DESTDIR)$(PREFIX)/bin/kubectl-stint
	install -m 644 $(MAN) $(MAN_FOLDER)
	$(foreach pair,$(COMPLETIONS),install -D -m 644 completions/$(lastword $(subst :, ,$(pair))) \
		$(DESTDIR)$(PREFIX)/share/$(firstword $(subst :, ,$(pair)));)

# Folders that other packages share stay; those that only we filled go when they are empty.
.PHONY: uninstall
uninstall:
	rm -f $(foreach program,stint stint-scheduler stint-agent kubectl-stint,$(DESTDIR)$(PREFIX)/bin/$(program))
	rm -f $(addprefix $(MAN_FOLDER)/,$(notdir $(MAN)))
	$(foreach pair,$(COMPLETIONS),rm -f $(DESTDIR)$(PREFIX)/share/$(firstword $(subst :, ,$(pair)));)
	-@cd $(DESTDIR)$(PREFIX) 2>/dev/null && rmdir -p --ignore-fail-on-non-empty bin share/man/man1 \
		$(foreach pair,$(COMPLETIONS),share/$(dir $(firstword $(subst :, ,$(pair))))) 2>/dev/null; true

.PHONY: clean
clean:
	rm -rf build bin
