# The bench's programs and targets; bench/README.md. The floors and the load share nothing with the
# server but the list of banned calls; footprint is linked with its code.
BENCH_PARTS = answer cpu_time flight latency packets questions sockets stream upstream
BENCH_OBJ = $(BENCH_PARTS:%=build/obj/bench/%.o)
BENCH_LOAD_OBJ = $(patsubst %,build/obj/bench/%.o,load load_setup load_transport)
BENCH_PROGRAMS = $(addprefix build/bench/,load floor_answer floor_relay floor_tcp footprint)
BENCH_PACKAGES = unbound bind9 dnsmasq-base dnsdist knot-resolver pdns-recursor smartdns valgrind \
	knot kea-dhcp-ddns-server

build/bench/load: $(BENCH_LOAD_OBJ) $(BENCH_OBJ)
	@mkdir -p $(@D)
	$(CC) $(OPT) -o $@ $^ -lm
build/bench/register: build/obj/bench/register.o build/obj/bench/registration.o $(BENCH_OBJ)
	@mkdir -p $(@D)
	$(CC) $(OPT) -o $@ $^ -lm -lgnutls
build/bench/floor_%: build/obj/bench/floor_%.o $(BENCH_OBJ)
	@mkdir -p $(@D)
	$(CC) $(OPT) -o $@ $^ -lm
build/bench/footprint: build/obj/bench/footprint.o build/obj/libsluice.a
	@mkdir -p $(@D)
	$(CC) $(OPT) -o $@ $^ $(LIBS)

# QUICK=1, ONLY=zone,hit, PEERS=unbound (PEERS= is none)
bench: deps
	@$(MAKE) --no-print-directory -s -j2 build/sluice $(BENCH_PROGRAMS)
	@bench/selftest
	@bench/run $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY)) $(if $(filter undefined,$(origin PEERS)),,--peers '$(PEERS)')
bench-deps:
	@etc/install-packages $(PACKAGES) $(BENCH_PACKAGES)
# `make test` shows this too, and a rise does not fail it. RECORD=1 makes today's counts those to compare with.
bench-instructions:
	@$(MAKE) --no-print-directory -s -j2 build/sluice build/bench/load
	@bench/instructions $(if $(RECORD),--record)
# MINUTES=30, RATE=questions a second (absent: half of what it can)
soak: deps
	@$(MAKE) --no-print-directory -s -j2 build/sluice build/bench/load
	@bench/soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(RATE),--rate $(RATE))
# ONLY=failover,restart: those; QUICK=1: each once, and shorter
bench-faults: deps
	@$(MAKE) --no-print-directory -s -j2 build/sluice build/bench/load
	@bench/selftest
	@bench/faults $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))
# ROUNDS=3
bench-update: deps
	@$(MAKE) --no-print-directory -s -j2 build/sluice build/bench/load build/bench/register
	@bench/update $(if $(ROUNDS),--rounds $(ROUNDS))
# ROUNDS=5, ONLY=now,rules
bench-dashboard: deps test-deps
	@$(MAKE) --no-print-directory -s -j2 build/sluice
	@bench/dashboard $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY))
.PHONY: bench bench-dashboard bench-deps bench-instructions bench-faults bench-update soak
