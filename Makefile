# stint: GNU make, no configure. `make help` lists what there is.
#   make                      release build: bin/stint, bin/stint-scheduler, bin/stint-agent
#   make SAN=address,undefined [TARGET]   the same with sanitizers, in folders of its own
#   make WERROR=1             warnings are errors, as in CI

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
PKG_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lwslay

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings \
	-Wvla -Wformat=2 -Wimplicit-fallthrough -Wundef
HARDENING := -fstack-protector-strong -fstack-clash-protection -fPIE
CFLAGS_ALL := -std=c11 -D_GNU_SOURCE -O2 -g -fno-omit-frame-pointer -fvisibility=hidden -ffile-prefix-map=$(CURDIR)=. \
	$(WARNINGS) $(HARDENING) -Iinclude -I. $(PKG_CFLAGS) -DSTINT_VERSION='"$(VERSION)"' -MMD -MP
LDFLAGS_ALL := -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--build-id=sha1 -Wl,--as-needed
ifdef SAN
CFLAGS_ALL += -fsanitize=$(SAN) -fno-sanitize-recover=all
LDFLAGS_ALL += -fsanitize=$(SAN)
else
CFLAGS_ALL += -D_FORTIFY_SOURCE=2
endif
ifdef WERROR
CFLAGS_ALL += -Werror
endif
CFLAGS_ALL += $(CFLAGS)
LDFLAGS_ALL += $(LDFLAGS)

sources = $(sort $(foreach folder,$(1),$(wildcard $(folder)/*.c $(folder)/*/*.c)))
objects = $(patsubst %.c,$(B)/%.o,$(1))

CORE := $(call objects,$(call sources,core))
CLI := $(call objects,$(call sources,cli))
SCHEDULER := $(call objects,$(call sources,scheduler))
AGENT := $(call objects,$(call sources,agent))
# The programs without their main(), for tests that look inside them.
PARTS := $(filter-out %/main.o,$(CLI) $(SCHEDULER) $(AGENT))
TESTS := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/unit/*/test_*.c)))
BENCHES := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/bench/bench_*.c)))
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

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(CFLAGS_ALL) -c -o $@ $<

-include $(shell find $(B) -name '*.d' 2>/dev/null)

.SECONDARY:
.PHONY: unit-tests
unit-tests: $(TESTS)

.PHONY: clean
clean:
	rm -rf build bin
