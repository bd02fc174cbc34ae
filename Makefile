# make            builds build/sluice and build/sluice-import
# make run        installs what is missing, builds, starts the demonstration
# make test       installs what is missing, builds and runs every test, and closes with a count
#                 (ONLY=e2e/test_wire runs those whose path has that)
# make test-clients  installs other people's clients of the management API, and DHCP clients and
#                 servers, which register, and runs their tests
# make lint       the order of rooms, format, cppcheck, clang-tidy, the manual pages
# make manual     the manual pages of the commands, into build/manual
# make format     clang-format on every C file
# make compile_commands.json  how each file is compiled, for clangd and other editors
# make cover      line coverage of the cmocka programs, per folder
# make bench      builds the load and the floors, and measures sluice beside the installed peers
#                 (QUICK=1: two minutes; ONLY=zone,hit: those); bench-deps installs the peers;
#                 bench-instructions counts the instructions of a query
# make bench-update  machines that register by DNS UPDATE, beside BIND and Knot: five minutes
# make bench-dashboard  how soon each page of the dashboard shows something (ROUNDS=5, ONLY=now,rules)
# make bench-faults  what clients notice of targets that fail, kill -9, reloads, upgrades and limits
#                 (QUICK=1, ONLY=failover,restart)
# make fuzz       libFuzzer on every parser and on the resolver, with clang (SECONDS=60 each; ONLY=fuzz_name)
# make tsan       every test again under ThreadSanitizer, and longer under load, to find data races
# make valgrind   every test again under valgrind, to find what is read before it was written
# make chaos      everything goes wrong at once while clients check every answer (MINUTES=3, SEED=n;
#                 SLUICE=build/asan/sluice)
# make soak       half of the capacity for MINUTES=30: nothing lost, nothing wrong, memory flat
# make asan       both in build/asan, under AddressSanitizer and UndefinedBehaviorSanitizer
# make install    into $DESTDIR$PREFIX (/usr/local): the programs, their manual pages, guides, examples and
#                 unit, and what OpenStack's and Azure's clients need
# make uninstall  removes that again, and leaves configurations and states alone
# make deb        the Debian package, into build/
# make image      the image of a container, by buildah or podman: localhost/sluice (etc/Containerfile)
# make clean      removes build/
# make help       prints this
PACKAGES = gcc libc6-dev make pkg-config libuv1-dev libldns-dev libconfig-dev libjansson-dev uthash-dev \
	libmicrohttpd-dev libsqlite3-dev libcurl4-gnutls-dev libgnutls28-dev libseccomp-dev libfstrm-dev libprotobuf-c-dev \
	protobuf-c-compiler libyaml-dev libjs-chart.js
TEST_PACKAGES = libcmocka-dev iproute2 procps python3 nsd unbound bind9 knot dnsmasq-base \
	bind9-dnsutils knot-dnsutils ldnsutils man-db systemd zsh prometheus dpkg-dev \
	chromium chromium-driver python3-selenium dnstap-ldns fstrm-bin keepalived openssh-server \
	kea-dhcp4-server kea-dhcp-ddns-server isc-dhcp-server isc-dhcp-client
# Their tests say so and are skipped where there are none.
TEST_TOOLS = lintian buildah dnsdist
CLIENT_PACKAGES = python3-openstackclient python3-designateclient azure-cli python3-azure \
	python3-jsonschema openssl isc-dhcp-client-ddns busybox \
	$(shell command -v npm >/dev/null || echo nodejs npm)
NODE_PACKAGES = @azure/arm-network@39.0 @azure/arm-dnsresolver@1.1 @azure/arm-privatedns@4.0 \
	@azure/arm-resources@8.0 @azure/arm-resourcesdeployments@2.0 @azure/identity@4 \
	@seriousme/openapi-schema-validator@2 axe-core@4
LINT_PACKAGES = clang-format clang-tidy cppcheck
COVER_PACKAGES = gcovr
DEMO_PACKAGES = bind9-dnsutils
DEB_PACKAGES = dpkg-dev binutils

AZ_FILES = $(shell cd etc && find az -type f ! -name '*.pyc')
DOC_FILES = $(shell cd etc && find examples guide prometheus grafana -type f)

VERSION := 0.2.0
PREFIX ?= /usr/local
DESTDIR ?=
BASH_COMPLETION = $(PREFIX)/share/bash-completion/completions/sluice
ZSH_COMPLETION = $(PREFIX)/share/zsh/site-functions/_sluice
CC ?= gcc
OPT ?= -O2 -g
# Those of the options that the compiler knows.
known = $(shell for option in $(1); do \
	$(CC) -O2 -Werror -U_FORTIFY_SOURCE $$option -include stdio.h -E -x c /dev/null >/dev/null 2>&1 && echo "$$option"; done)
# For x86-64 gcc copies what has a bound and no fixed length by `rep movs`, which takes longer to begin
# than memcpy takes for a name. Other compilers neither know the options nor need them.
COPY := $(call known,-mmemcpy-strategy=libcall:-1:noalign -mmemset-strategy=libcall:-1:noalign)
# What makes a mistake with memory harder to use: canaries, stacks that cannot grow past their guard
# page, jumps that land where they are meant to (-fcf-protection on x86, -mbranch-protection on ARM),
# and calls of the C library with the sizes that the compiler knows; without optimisation it knows
# none. The sanitizers' builds find such mistakes themselves, and go without.
HARDEN := -fPIE $(call known,-fstack-protector-strong -fstack-clash-protection -fcf-protection -mbranch-protection=standard) \
	$(if $(filter-out -O0,$(filter -O%,$(OPT))),-U_FORTIFY_SOURCE $(or $(call known,-D_FORTIFY_SOURCE=3),-D_FORTIFY_SOURCE=2))
HARDEN_LINK = -pie -Wl,-z,relro,-z,now,-z,noexecstack
WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wvla -Wmissing-prototypes -Wno-format-truncation -Werror
LIBS = $(shell pkg-config --libs libuv libconfig jansson 2>/dev/null || echo -luv -lconfig -ljansson) \
	-lldns -lmicrohttpd -lsqlite3 -lcurl -lgnutls -lseccomp -lfstrm -lprotobuf-c -pthread
BASE = -std=gnu11 -D_GNU_SOURCE -DSLUICE_VERSION='"$(VERSION)"' -I. -Ibuild -include rules/banned.h -MMD -MP $(WARN)
SANITIZE ?= address,undefined
comma := ,
SAN = -O1 -g -fno-omit-frame-pointer \
	$(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=undefined)

# The dashboard's files, compressed into C, and what draws its charts: Debian's libjs-chart.js.
DASHBOARD := $(shell find resolver/control/dashboard/files)
CHART ?= /usr/share/javascript/chart.js/chart.min.js
# The messages of dnstap in C, by protoc-c: build/ has them where resolver/ has what they are made of.
DNSTAP = resolver/control/observe/query_log/dnstap
SRC := $(sort $(shell find rules endpoints resolver -name '*.c')) build/dashboard/files.c build/$(DNSTAP).pb-c.c
TESTSRC := $(sort $(shell find tests -name 'test_*.c'))
TESTLIB := $(sort $(wildcard tests/lib/*.c))
MAIN = resolver/control/command/main
# What reads other programs' files is a program of its own, of this room and whatever it needs of
# the others, and nothing of it is in the server's.
IMPORT = resolver/control/import
IMPORT_MAIN = $(IMPORT)/main
IMPORT_SRC = $(filter $(IMPORT)/%,$(SRC))
SERVER_SRC = $(filter-out $(IMPORT)/%,$(SRC))
# Where the sanitizers' build lives; `make tsan` builds the same apart with another sanitizer, and
# tests/cover with COVER=--coverage.
B ?= build/asan
LIB_OBJ = $(filter-out $(MAIN:%=$(B)/%.o) $(IMPORT_MAIN:%=$(B)/%.o),$(SRC:%.c=$(B)/%.o)) $(TESTLIB:%.c=$(B)/%.o)
TESTS = $(TESTSRC:%.c=$(B)/%)

all: build/sluice build/sluice-import

include tests/fuzz/fuzz.mk

build/sluice: $(SERVER_SRC:%.c=build/obj/%.o)
build/sluice-import: $(IMPORT_SRC:%.c=build/obj/%.o) build/obj/libsluice.a
# Fewer libraries than the server needs, and one that the server does not.
build/sluice-import $(B)/sluice-import: LIBS := -Wl,--as-needed $(LIBS) -lyaml
build/sluice build/sluice-import:
	$(CC) $(OPT) $(HARDEN_LINK) -o $@ $^ $(LIBS)
build/obj/libsluice.a: $(filter-out build/obj/$(MAIN).o,$(SERVER_SRC:%.c=build/obj/%.o))
	@rm -f $@
	ar rcs $@ $^
build/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(OPT) $(HARDEN) $(COPY) -c -o $@ $<

# A new version is in every file that prints it.
VERSIONED := $(shell grep -rl SLUICE_VERSION --include='*.c' resolver tests)
$(VERSIONED:%.c=build/obj/%.o) $(VERSIONED:%.c=$(B)/%.o): Makefile

build/dashboard/files.c: resolver/control/dashboard/embed $(DASHBOARD) $(CHART)
	@mkdir -p $(@D)
	resolver/control/dashboard/embed resolver/control/dashboard/files $(CHART) >$@.new && mv $@.new $@
$(CHART):
	@echo "$@ is missing: run \`make deps\`, or say where it is by CHART=.../chart.min.js" >&2; false

build/$(DNSTAP).pb-c.c build/$(DNSTAP).pb-c.h &: $(DNSTAP).proto
	@mkdir -p build
	protoc-c --c_out=build $<
# Who includes it: what the compiler tells of that comes too late for the first time.
$(foreach at,build/obj $(B) build/fuzz,$(at)/$(DNSTAP).o) $(B)/tests/$(dir $(DNSTAP))test_dnstap.o: build/$(DNSTAP).pb-c.h

# The same programs and every test, under sanitizers.
$(B)/sluice: $(SERVER_SRC:%.c=$(B)/%.o)
$(B)/sluice-import: $(IMPORT_SRC:%.c=$(B)/%.o) $(B)/libsluice.a
$(B)/sluice $(B)/sluice-import:
	$(CC) $(SAN) $(COVER) -o $@ $^ $(LIBS)
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(SAN) $(COVER) -c -o $@ $<
$(B)/libsluice.a: $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^
$(B)/tests/%: $(B)/tests/%.o $(B)/libsluice.a
	$(CC) $(SAN) $(COVER) $(WRAP) -o $@ $^ $(LIBS) -lcmocka
$(B)/tests/resolver/control/test_memory $(B)/tests/resolver/control/service/test_registrar \
$(B)/tests/resolver/control/service/test_commit: WRAP = -Wl,--wrap=malloc,--wrap=calloc
$(B)/tests/resolver/control/template/test_memory: WRAP = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
# All dialects are in one table, and adguard and dnsdist are YAML.
$(B)/tests/$(IMPORT)/%: LIBS += -lyaml
asan: $(B)/sluice $(B)/sluice-import
tests-built: $(TESTS) $(FUZZ_REPLAYS) $(B)/tests/e2e/explain_lines $(B)/tests/e2e/arm_members

# The manual page of the configuration comes from the same table as the configuration's reader.
etc/sluice.conf.5: build/sluice
	build/sluice manual >$@.new && mv $@.new $@
# Those of the commands come from their table, too, and from what etc/manual has to say of them.
MANUAL = $(patsubst etc/manual/%.mdoc,build/manual/sluice-%.8,$(filter-out %/sluice.mdoc,$(wildcard etc/manual/*.mdoc)))
manual: build/manual/sluice.8 $(MANUAL)
build/manual/sluice.8: etc/manual/sluice.mdoc $(wildcard etc/manual/*) build/sluice
	@mkdir -p $(@D)
	etc/manual/page build/sluice $< >$@.new && mv $@.new $@
$(MANUAL): build/manual/sluice-%.8: etc/manual/%.mdoc etc/manual/page build/sluice
	@mkdir -p $(@D)
	etc/manual/page build/sluice $< >$@.new && mv $@.new $@

deps:
	@etc/install-packages $(PACKAGES)
test-deps:
	@etc/install-packages $(PACKAGES) $(TEST_PACKAGES)
	@for tool in $(TEST_TOOLS); do etc/install-packages $$tool || true; done
run:
	@etc/install-packages $(PACKAGES) $(DEMO_PACKAGES)
	@$(MAKE) --no-print-directory -s -j2 build/sluice
	@etc/demo/run build/sluice
test: test-deps
	@$(MAKE) --no-print-directory -s -j2 all build/bench/load asan tests-built
	@$(if $(ONLY)$(filter-out address$(comma)undefined,$(or $(SANITIZE),none)),:,$(MAKE) --no-print-directory bench-instructions || true)
	@B=$(B) tests/run $(ONLY)
test-clients:
	@etc/install-packages $(PACKAGES) $(TEST_PACKAGES) $(CLIENT_PACKAGES)
	@[ -d build/clients/node_modules/@azure/arm-resourcesdeployments ] || npm install --prefix build/clients \
		--silent --no-audit --no-fund --ignore-scripts $(NODE_PACKAGES)
	@$(MAKE) --no-print-directory -s -j2 asan
	@B=$(B) CLIENTS=required tests/run tests/clients/
tsan:
	@JOBS=$$(nproc) DIFFERENTIAL=0.1 LOAD=10 $(MAKE) --no-print-directory test B=build/tsan SANITIZE=thread
valgrind:
	@etc/install-packages $(PACKAGES) $(TEST_PACKAGES) valgrind
	@JOBS=$$(nproc) VALGRIND=1 TEST_TIMEOUT_S=1800 DIFFERENTIAL=0.02 LOAD=0.1 \
		$(MAKE) --no-print-directory test B=build/valgrind SANITIZE=
chaos: test-deps
	@$(MAKE) --no-print-directory -s -j2 build/sluice $(SLUICE)
	@tests/chaos/run $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

lint:
	@etc/install-packages $(PACKAGES) $(TEST_PACKAGES) $(LINT_PACKAGES)
	@$(MAKE) --no-print-directory -s -j2 build/sluice
	@tests/lint
compile_commands.json: # made anew each time, for new files
	@printf '%s\n' $(SRC) $(TESTLIB) $(TESTSRC) $(wildcard bench/*.c tests/fuzz/*.c tests/e2e/*.c) | python3 -c 'import json, os, sys; print(json.dumps( \
		[{"directory": os.getcwd(), "file": file, "arguments": sys.argv[1:] + ["-c", file]} \
		for file in sys.stdin.read().split()], indent=1))' $(CC) $(filter-out -MMD -MP,$(BASE)) $(OPT) >$@
format:
	clang-format -i $(shell git ls-files '*.c' '*.h')
cover:
	@etc/install-packages $(PACKAGES) $(TEST_PACKAGES) $(COVER_PACKAGES)
	@tests/cover

install: all manual
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/sbin build/sluice build/sluice-import
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man8 build/manual/sluice.8 $(MANUAL) etc/sluice-import.8
	install -D -m 644 etc/sluice.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/sluice.conf.5
	install -D -m 644 etc/sluice-api.7 $(DESTDIR)$(PREFIX)/share/man/man7/sluice-api.7
	sed -i 's|/usr/local/share|$(PREFIX)/share|' $(DESTDIR)$(PREFIX)/share/man/man?/sluice*
	install -D -m 644 etc/openrc.sh $(DESTDIR)$(PREFIX)/share/sluice/openrc.sh
	for file in $(AZ_FILES); do install -D -m 644 etc/$$file $(DESTDIR)$(PREFIX)/share/sluice/$$file || exit; done
	chmod 755 $(DESTDIR)$(PREFIX)/share/sluice/az/setup
	for file in $(DOC_FILES); do install -D -m 644 etc/$$file $(DESTDIR)$(PREFIX)/share/doc/sluice/$$file || exit; done
	install -m 644 SECURITY.md $(DESTDIR)$(PREFIX)/share/doc/sluice
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(dir $(BASH_COMPLETION)) $(DESTDIR)$(dir $(ZSH_COMPLETION))
	sed 's|@PREFIX@|$(PREFIX)|' etc/sluice.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/sluice.service
	build/sluice completion bash >$(DESTDIR)$(BASH_COMPLETION)
	build/sluice completion zsh >$(DESTDIR)$(ZSH_COMPLETION)
# What install puts there, and the folders that are sluice's alone.
uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,sbin/sluice sbin/sluice-import share/man/man8/sluice.8 \
		$(MANUAL:build/manual/%=share/man/man8/%) share/man/man8/sluice-import.8 share/man/man5/sluice.conf.5 share/man/man7/sluice-api.7 lib/systemd/system/sluice.service)
	rm -f $(DESTDIR)$(BASH_COMPLETION) $(DESTDIR)$(ZSH_COMPLETION)
	rm -rf $(DESTDIR)$(PREFIX)/share/sluice $(DESTDIR)$(PREFIX)/share/doc/sluice

deb:
	@etc/install-packages $(PACKAGES) $(DEB_PACKAGES)
	@$(MAKE) --no-print-directory -s -j2 all
	@etc/debian/build $(VERSION) build
image:
	@etc/install-packages $(PACKAGES)
	@$(MAKE) --no-print-directory -s -j2 all
	@etc/image build localhost/sluice

include bench/bench.mk

clean:
	rm -rf build
help:
	@sed -n '1,/^$$/s/^# //p' Makefile

-include $(shell find build -name '*.d' 2>/dev/null)
.PHONY: compile_commands.json all manual deps test-deps run test test-clients tsan valgrind chaos tests-built asan fuzz lint format cover install uninstall deb image clean help
.SECONDARY:
