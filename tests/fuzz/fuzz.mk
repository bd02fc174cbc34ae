# Fuzz targets; tests/fuzz/README.md. `make test` replays their corpus with the compiler and
# sanitizers of all other tests; `make fuzz` needs clang.
#   make fuzz SECONDS=60 ONLY=fuzz_name     each target for so long, or one
FUZZ_PACKAGES = clang
FUZZ_CC ?= clang
FUZZ_SAN = -O2 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
FUZZSRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_REPLAYS = $(FUZZSRC:%.c=$(B)/%)
FUZZ_PROGRAMS = $(FUZZSRC:tests/fuzz/%.c=build/fuzz/%)
FUZZ_PARTS = $(filter-out $(MAIN).c $(IMPORT_MAIN).c,$(SRC)) $(TESTLIB) tests/fuzz/world.c tests/fuzz/limit.c

# The importers are among the parts.
$(FUZZ_REPLAYS) $(FUZZ_PROGRAMS): LIBS += -lyaml
$(FUZZ_REPLAYS): $(B)/%: $(B)/%.o $(B)/tests/fuzz/replay.o $(B)/tests/fuzz/limit.o $(B)/tests/fuzz/world.o $(B)/libsluice.a
	$(CC) $(SAN) $(COVER) -o $@ $^ $(LIBS) -lcmocka
build/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(BASE) -Wno-unknown-warning-option -fsanitize=fuzzer-no-link $(FUZZ_SAN) -c -o $@ $<
# Where no bytes of the input are compared there is nothing to be learnt from comparisons.
FUZZ_QUIET = rules/hash endpoints/entropy endpoints/wheel endpoints/upstream/target endpoints/upstream/inflight \
	endpoints/upstream/stalled endpoints/upstream/failover resolver/resolve/cache tests/lib/stage tests/fuzz/world
$(FUZZ_QUIET:%=build/fuzz/%.o): FUZZ_SAN += -fno-sanitize-coverage=trace-cmp
build/fuzz/parts.a: $(FUZZ_PARTS:%.c=build/fuzz/%.o)
	@rm -f $@
	ar rcs $@ $^
$(FUZZ_PROGRAMS): build/fuzz/%: build/fuzz/tests/fuzz/%.o build/fuzz/parts.a
	$(FUZZ_CC) -fsanitize=fuzzer $(FUZZ_SAN) -o $@ $^ $(LIBS) -lcmocka
fuzz:
	@etc/install-packages $(PACKAGES) $(TEST_PACKAGES) $(FUZZ_PACKAGES)
	@$(MAKE) --no-print-directory -s -j2 $(FUZZ_PROGRAMS)
	@tests/fuzz/run $(or $(SECONDS),60) $(ONLY)

