# make            builds build/sluice
# make run        installs what is missing, builds, starts the demonstration
# make test       installs what is missing, builds and runs every test, and closes with a count
# make help       lists the rest
PACKAGES = gcc make pkg-config libuv1-dev libldns-dev libconfig-dev libjansson-dev uthash-dev
TEST_PACKAGES = libcmocka-dev iproute2 procps python3 nsd unbound bind9 dnsmasq-base \
	bind9-dnsutils knot-dnsutils ldnsutils man-db
LINT_PACKAGES = clang-format clang-tidy cppcheck
COVER_PACKAGES = gcovr
DEMO_PACKAGES = bind9-dnsutils

VERSION := 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= gcc
OPT ?= -O2 -g
WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wvla -Wmissing-prototypes -Wno-format-truncation -Werror
LIBS = $(shell pkg-config --libs libuv libconfig jansson 2>/dev/null || echo -luv -lconfig -ljansson) -lldns -pthread
BASE = -std=gnu11 -D_GNU_SOURCE -DSLUICE_VERSION='"$(VERSION)"' -I. -include rules/banned.h -MMD -MP $(WARN)
SAN = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

SRC := $(sort $(wildcard rules/*.c endpoints/*.c resolver/*.c resolver/control/*.c))
TESTSRC := $(sort $(wildcard tests/*/test_*.c))
TESTLIB := $(sort $(wildcard tests/*.c))
OBJ = $(SRC:%.c=build/obj/%.o)
ASAN_OBJ = $(filter-out build/asan/resolver/main.o,$(SRC:%.c=build/asan/%.o)) $(TESTLIB:%.c=build/asan/%.o)
TESTS = $(TESTSRC:%.c=build/asan/%)

all: build/sluice

build/sluice: $(OBJ)
	$(CC) $(OPT) -o $@ $^ $(LIBS)
build/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(OPT) -c -o $@ $<

# The same program and every test, under AddressSanitizer and UndefinedBehaviorSanitizer.
build/asan/sluice: $(SRC:%.c=build/asan/%.o)
	$(CC) $(SAN) -o $@ $^ $(LIBS)
build/asan/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(SAN) $(COVER) -c -o $@ $<
build/asan/libsluice.a: $(ASAN_OBJ)
	@rm -f $@
	ar rcs $@ $^
build/asan/tests/%: build/asan/tests/%.o build/asan/libsluice.a
	$(CC) $(SAN) $(COVER) -o $@ $^ $(LIBS) -lcmocka

deps:
	@etc/install-packages $(PACKAGES)
test-deps:
	@etc/install-packages $(PACKAGES) $(TEST_PACKAGES)
run:
	@etc/install-packages $(PACKAGES) $(DEMO_PACKAGES)
	@$(MAKE) --no-print-directory build/sluice
	@etc/demo/run build/sluice
test: test-deps
	@$(MAKE) --no-print-directory build/sluice build/asan/sluice tests-built
	@tests/run $(ONLY)
tests-built: $(TESTS)

lint:
	@etc/install-packages $(PACKAGES) $(TEST_PACKAGES) $(LINT_PACKAGES)
	@tests/lint
format:
	clang-format -i $(shell git ls-files '*.c' '*.h')
cover:
	@etc/install-packages $(PACKAGES) $(TEST_PACKAGES) $(COVER_PACKAGES)
	@tests/cover

install: build/sluice
	install -D -m 755 build/sluice $(DESTDIR)$(PREFIX)/sbin/sluice
	install -D -m 644 etc/sluice.8 $(DESTDIR)$(PREFIX)/share/man/man8/sluice.8
	install -D -m 644 etc/sluice.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/sluice.conf.5

clean:
	rm -rf build
help:
	@sed -n 's/^# make/make/p' Makefile

-include $(shell find build -name '*.d' 2>/dev/null)
.PHONY: all deps test-deps run test tests-built lint format cover install clean help
.SECONDARY:
