# SPDX-License-Identifier: BSD-2-Clause
# sluice: everything that is built lands in build/. `make help` lists the targets.

CLANG     ?= clang
CC        ?= gcc
CLANG_FORMAT ?= clang-format-19
BPFTOOL   ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool /usr/bin/bpftool) bpftool)
PYTHON    ?= /usr/bin/python3
PREFIX    ?= /usr/local
DESTDIR   ?=
PYTEST    = $(PYTHON) -B -m pytest -p no:cacheprovider
# Processes that the tests are given to; most of a test's time is waiting.
TEST_JOBS ?= 6
PYTEST_BESIDE = $(PYTEST) -q -n $(TEST_JOBS) --dist loadgroup

B         := build
VERSION   := 0.1.0
PACKAGES  := libbpf libxdp libuv libmicrohttpd jansson yaml-0.1 libmnl libcap-ng libseccomp libcurl
# Where $(CC) finds the headers of this architecture, for -target bpf knows none.
ARCH_INC  := $(patsubst %/asm/types.h,%,$(filter %/asm/types.h,$(shell $(CC) -M -include asm/types.h -x c /dev/null)))

WARNINGS  := -Wall -Wextra -Wshadow -Wstrict-prototypes -Werror
CFLAGS    ?= -O2 -g
ALL_CFLAGS := -std=gnu11 $(CFLAGS) $(WARNINGS) -D_GNU_SOURCE -DSLUICE_VERSION='"$(VERSION)"' \
             -Iuser -Iinclude -I$(B) $(shell pkg-config --cflags $(PACKAGES))
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -std=gnu11 $(WARNINGS) -Iinclude -I. -isystem $(ARCH_INC)

LIB_SRC    := $(shell find user/lib -name '*.c' | sort)
DAEMON_SRC := $(shell find user/daemon -name '*.c' | sort)
CLI_SRC    := $(wildcard user/cli/*.c)
RESPONDER_SRC := $(wildcard user/responder/*.c)
UNIT_SRC   := $(wildcard tests/unit/*/*_test.c)
LIB_OBJ    := $(LIB_SRC:%.c=$(B)/obj/%.o)
DAEMON_OBJ := $(DAEMON_SRC:%.c=$(B)/obj/%.o)
CLI_OBJ    := $(CLI_SRC:%.c=$(B)/obj/%.o)
RESPONDER_OBJ := $(RESPONDER_SRC:%.c=$(B)/obj/%.o)
UNIT_BIN   := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
LIB        := $(B)/libsluice.a
MAN        := $(wildcard docs/man/*.[1-8])

# BASE, which must be a revision of this repository.
revision   = $(if $(shell git rev-parse -q --verify '$(or $(BASE),$(error BASE=REVISION is missing))^{commit}'),$(BASE),$(error BASE=$(BASE) is no revision here))

# `make V=1` shows the commands.
Q         := $(if $(V),,@)
say        = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)')

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: all deps demo test test-quick test-unit test-bpf test-e2e test-survival test-kill test-oracle test-limits test-upgrade config-compare bench bench-keep bench-compare bench-instructions bench-tools lint format install uninstall clean help test-guest

all: $(B)/sluiced $(B)/sluicectl $(B)/sluice-responder $(B)/sluice.bpf.o $(B)/sluicectl.bash-completion ## build the programs and the BPF object (default)

# ---- set-up -------------------------------------------------------------
# The stamp makes `make demo` and `make test` one command each: what is
# missing is installed before anything is compiled. Where everything is there
# (or apt is not), nothing is asked for.
deps: ## install what building and testing need (Debian packages, as root)
	$(Q)scripts/deps.sh

$(B)/.deps: scripts/deps.sh
	$(Q)mkdir -p $(B)
	$(Q)scripts/deps.sh
	$(Q)touch $@

# ---- what is to be made again --------------------------------------------
# The compilers write the headers that each object includes into $(B)/obj/*.d. Flags,
# and the list of sources, are in stamps: a stamp is written when its text differs from
# what make has now, and what depends on it is then made again.
BPF_STAMP    := $(B)/.flags-bpf
C_STAMP      := $(B)/.flags-c
SOURCE_STAMP := $(B)/.sources

$(BPF_STAMP):    private TEXT = $(CLANG) $(BPF_CFLAGS)
$(C_STAMP):      private TEXT = $(CC) $(ALL_CFLAGS) $(LDFLAGS)
$(SOURCE_STAMP): private TEXT = $(LIB_SRC) $(DAEMON_SRC) $(CLI_SRC) $(RESPONDER_SRC)

$(BPF_STAMP) $(C_STAMP) $(SOURCE_STAMP): FORCE
	$(Q)mkdir -p $(@D)
	$(Q)printf '%s\n' '$(subst ','\'',$(TEXT))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(TEXT))' >$@

.PHONY: FORCE
.SECONDARY:

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# ---- BPF ----------------------------------------------------------------
define compile_bpf
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D) $(B)/obj/$(<D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(B)/obj/$<.d -MT $@ -c $< -o $@
endef

$(B)/%.bpf.o: bpf/%.bpf.c $(BPF_STAMP)
	$(compile_bpf)

$(B)/bench/%.bpf.o: tests/bench/%.bpf.c $(BPF_STAMP)
	$(compile_bpf)

$(B)/%.skel: $(B)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(notdir $*)_bpf > $@

# A skeleton that comes out as it was is left alone, and so is what includes it.
$(B)/%.skel.h: $(B)/%.skel
	$(Q)cmp -s $< $@ || cp $< $@

# ---- programs -----------------------------------------------------------
$(B)/obj/%.o: %.c $(C_STAMP)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(CFLAGS_TESTS) -MMD -MP -c $< -o $@

$(DAEMON_OBJ): | $(B)/sluice.skel.h $(B)/responder.skel.h

# Made from nothing each time, so that no member outlives its source.
$(LIB): $(LIB_OBJ) $(SOURCE_STAMP)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $(LIB_OBJ)

LINK = $(CC) $(CFLAGS) $(LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) -o $@

$(B)/sluiced: $(DAEMON_OBJ) $(LIB) $(SOURCE_STAMP)
	$(call say,LINK,$@)
	$(Q)$(LINK) $(shell pkg-config --libs $(PACKAGES))

$(B)/sluicectl: $(CLI_OBJ) $(LIB) $(SOURCE_STAMP)
	$(call say,LINK,$@)
	$(Q)$(LINK) $(shell pkg-config --libs jansson libcurl yaml-0.1)

# The frame, and what the tool knows of its commands.
$(B)/sluicectl.bash-completion: packaging/sluicectl.bash-completion $(B)/sluicectl
	$(call say,GEN,$@)
	$(Q)cp $< $@
	$(Q)$(B)/sluicectl completion bash >> $@

$(B)/sluice-responder: $(RESPONDER_OBJ) $(LIB) $(SOURCE_STAMP)
	$(call say,LINK,$@)
	$(Q)$(LINK) $(shell pkg-config --libs libbpf libmicrohttpd jansson yaml-0.1 libcap-ng libseccomp)

# ---- tests --------------------------------------------------------------
comma  := ,
objects = $(patsubst %.c,$(B)/obj/%.o,$(1))

$(B)/obj/tests/%.o: private CFLAGS_TESTS = -Itests -I. -I$(B)/bench

# These include a part of the daemon.
$(B)/unit/health/checks_test $(B)/unit/health/probes_test: UNIT_LIBS = -pthread $(shell pkg-config --libs libuv libcurl)

$(B)/unit/daemon/fiber_test: UNIT_LIBS = $(shell pkg-config --libs libuv)

$(B)/unit/responder/confine_test: UNIT_LIBS = $(shell pkg-config --libs libcap-ng libseccomp)

$(B)/unit/%: $(B)/obj/tests/unit/%.o $(LIB)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LINK) -lcmocka -lm $(shell pkg-config --libs jansson yaml-0.1) $(UNIT_LIBS)

# nexthop/ is tested, against the real kernel; tests/netlink/test_hops.py
# runs it in namespaces.
HOPS_OBJ := $(call objects,$(wildcard tests/netlink/*.c user/daemon/nexthop/*.c user/daemon/netlink/*.c) user/daemon/clock.c user/daemon/log.c)

$(B)/netlink/hops_test: $(HOPS_OBJ) $(LIB)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LINK) $(shell pkg-config --libs libuv libmnl jansson yaml-0.1) -lm

# The real responder, without the datapath; tests/responder/test_responder.py runs it.
RESPONDER_TEST_OBJ := $(call objects,tests/responder/responder_test.c $(wildcard user/daemon/responder/*.c) \
                      user/daemon/datapath/steer.c user/daemon/clock.c user/daemon/log.c)

$(B)/responder/responder_test: $(RESPONDER_TEST_OBJ) $(LIB) | $(B)/sluice-responder
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)ln -sf ../sluice-responder $(@D)/sluice-responder
	$(Q)$(LINK) -lm $(shell pkg-config --libs libuv libmnl libbpf jansson yaml-0.1)

$(B)/responder/hostile: $(call objects,tests/responder/hostile.c) $(B)/obj/user/responder/confine.o $(LIB)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LINK) $(shell pkg-config --libs libcap-ng libseccomp)

# The real program and what writes its maps, against a model of docs/architecture.md,
# Slots and transition.
MODEL_OBJ := $(call objects,$(wildcard tests/model/*.c user/daemon/datapath/*.c user/daemon/datapath/*/*.c) $(addprefix user/daemon/,clock.c lockfile.c log.c))

$(B)/model/model_test: $(MODEL_OBJ) $(LIB)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LINK) -pthread -lm $(shell pkg-config --libs libbpf libxdp jansson yaml-0.1)

# What writes the maps is ended at each of its writes, and taken over.
TAKEOVER_OBJ := $(call objects,$(wildcard tests/takeover/*.c user/daemon/datapath/*.c user/daemon/datapath/*/*.c) $(addprefix user/daemon/,clock.c lockfile.c log.c))

$(B)/takeover/takeover_test: private LDFLAGS += $(addprefix -Wl$(comma)--wrap=,bpf_map_update_elem bpf_map_delete_elem)
$(B)/takeover/takeover_test: $(TAKEOVER_OBJ) $(LIB)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LINK) -lm $(shell pkg-config --libs libbpf libxdp jansson yaml-0.1)

TEST_BIN = $(B)/netlink/hops_test $(B)/responder/responder_test $(B)/responder/hostile $(B)/model/model_test $(B)/takeover/takeover_test $(TRAFFIC_BIN)

# What no program of `make test` is made of is compiled all the same, lest it stay behind.
TEST_BIN += $(call objects,$(wildcard tests/fuzz/*.c tests/config/*.c))

# Conversations that notice when they are cut, and floods, for tests/e2e.
TRAFFIC_BIN := $(patsubst tests/%.c,$(B)/%,$(wildcard tests/traffic/*.c))

$(B)/traffic/%: $(B)/obj/tests/traffic/%.o
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LINK)

# What is loaded into a program under test before its libraries.
TEST_BIN += $(B)/preload/wall_clock.so

$(B)/obj/tests/preload/%.o: private CFLAGS_TESTS = -fPIC

$(B)/preload/%.so: $(B)/obj/tests/preload/%.o
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -shared -o $@ $<

demo: $(B)/.deps ## show a load balancer at work, in namespaces of its own (as root)
	$(Q)$(MAKE) --no-print-directory all
	$(Q)scripts/demo.sh

.PHONY: lab
lab: $(B)/.deps ## the same network as a shell to stay in (as root)
	$(Q)$(MAKE) --no-print-directory all
	$(Q)scripts/lab.sh

test: $(B)/.deps ## build and run all tests (as root)
	$(Q)$(MAKE) --no-print-directory all bench-tools $(UNIT_BIN) $(TEST_BIN)
	$(Q)status=0; $(MAKE) --no-print-directory test-unit || status=$$?; \
		$(PYTEST_BESIDE) tests || status=$$?; exit $$status

test-quick: all test-unit $(B)/model/model_test ## units, packets, a tenth of the model: a minute (as root)
	$(Q)SLUICE_QUICK=1 $(PYTEST_BESIDE) tests/bpf tests/model

# T: the name of a test or its directory, also as a pattern: plan, balance/plan, health, 'gate*'.
UNIT_ASKED = $(if $(T),$(wildcard tests/unit/$(T)_test.c tests/unit/*/$(T)_test.c tests/unit/$(T)/*_test.c),$(UNIT_SRC))
UNIT_RUN   = $(sort $(UNIT_ASKED:tests/unit/%.c=$(B)/unit/%))
ifneq ($(T),)
$(if $(UNIT_ASKED),,$(error no unit test is called '$(T)'; there are: $(sort $(notdir $(UNIT_SRC:_test.c=)))))
endif

# What each program says is told in one piece, when it has ended.
test-unit: $(UNIT_RUN) ## the C units (no root); T=plan: those of that name or directory
	$(Q)printf '%s\n' $(UNIT_RUN) | xargs -P $(TEST_JOBS) -n 1 \
		sh -c '"$$0" >"$$0.out" 2>&1; status=$$?; cat "$$0.out"; exit $$status'

# Under the sanitizers: all of it in a directory of its own, so that neither build is in
# the other's way. The sanitizers end a program at their first finding.
SANITIZE := -DSLUICE_SANITIZED -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

debug debug-test: export UBSAN_OPTIONS = print_stacktrace=1

.PHONY: debug debug-test
debug: ## all of it for a debugger, with ASan and UBSan, in build/debug; runs the C units there (T=)
	$(Q)$(MAKE) --no-print-directory B=build/debug CFLAGS='-O0 -g3 $(SANITIZE)' all test-unit

# Not the end-to-end tests, some of which measure time and memory: TESTS=tests/e2e/api.
debug-test: debug ## the model and what has namespaces of its own, under the sanitizers (as root): TESTS=...
	$(Q)$(MAKE) --no-print-directory B=build/debug CFLAGS='-O0 -g3 $(SANITIZE)' $(TEST_BIN:$(B)/%=build/debug/%)
	$(Q)SLUICE_BUILD=$(CURDIR)/build/debug $(PYTEST_BESIDE) $(or $(TESTS),tests/model tests/takeover tests/netlink tests/responder tests/bpf)

# Before anything is built: what TESTS names, without the names of single tests behind "::".
ifneq ($(filter debug-test,$(MAKECMDGOALS)),)
$(foreach t,$(TESTS),$(if $(wildcard $(firstword $(subst ::, ,$(t)))),,$(error TESTS=$(t): there is no such file or directory; there are: $(wildcard tests/*/test_*.py tests/*/*/test_*.py))))
endif

test-bpf: all ## packets through the real program (as root)
	$(Q)$(PYTEST_BESIDE) tests/bpf

test-e2e: all $(TRAFFIC_BIN) ## real servers and clients in namespaces (as root)
	$(Q)$(PYTEST_BESIDE) tests/e2e

# 1 000 connections, 100 000 flows, 5 million spoofed packets: five minutes.
test-survival: all $(TRAFFIC_BIN) ## changes under load, in full size (by hand, as root)
	$(Q)SLUICE_FULL=1 $(PYTEST) -q -k 'survival or schedulers or states' tests/e2e

# A minute for each promise of the limiter: twenty minutes.
test-limits: all $(TRAFFIC_BIN) ## what limits admit, in full size (by hand, as root)
	$(Q)SLUICE_FULL=1 $(PYTEST) -q $(wildcard tests/e2e/test_limit_*.py tests/e2e/*/test_limit_*.py)

# Half a second for each kill. Another SEED is other moments and configurations.
test-kill: all $(TRAFFIC_BIN) ## kill -9 at random moments of reloads (by hand, as root): KILLS=1000, SEED=16
	$(Q)SLUICE_KILLS=$(or $(KILLS),1000) SLUICE_SEED=$(or $(SEED),16) $(PYTEST) -q -s tests/e2e/test_kill.py

# 120 000 requests, 40 000 replies, 20 000 mangled packets: ten minutes. A failure names the
# command that runs its packet alone (FIRST, CASE).
test-oracle: all ## random packets against an oracle, in full size (by hand, as root): COUNT=10000 of a kind, SEED=1
	$(Q)SLUICE_ORACLE=$(or $(COUNT),10000) SLUICE_ORACLE_FIRST=$(or $(FIRST),0) SLUICE_SEED=$(or $(SEED),1) \
		$(PYTEST) -q 'tests/bpf/test_oracle.py$(if $(CASE),::$(CASE))'

# By hand: BASE is built in a worktree of its own. A minute.
test-upgrade: all $(TRAFFIC_BIN) ## BASE=REVISION is taken over under load, and nothing is lost (as root)
	$(Q)SLUICE_BASE=$(revision) $(PYTEST) -q tests/e2e/upgrade.py

# After a change that must change nothing: 10 000 random configurations, each broken a
# few times, and all texts of the unit tests.
config-compare: ## this tree's configuration against that of BASE=REVISION: N=10000 texts
	$(Q)CC='$(CC)' tests/config/compare.sh $(revision) $(N)

.PHONY: test-mutations
test-mutations: $(B)/.deps ## plants bugs in a copy of the tree, each of which the model must find (as root)
	$(Q)$(MAKE) --no-print-directory $(B)/model/model_test
	$(Q)$(PYTHON) -B tests/model/mutate.py

# By hand, for it fetches a kernel and installs qemu: see tests/guest/run.sh.
test-guest: all $(B)/bench/syn.bpf.o ## on a Debian kernel in qemu: KERNEL=6.1 or KERNEL=6.12 (as root)
	$(Q)tests/guest/run.sh $(or $(KERNEL),6.1) $(SCENARIOS)

# ---- fuzzing -------------------------------------------------------------
# libFuzzer is clang's, so all that it shall see is compiled with clang, in build/fuzz.
FUZZ_FLAGS  := -O1 -g -fsanitize=fuzzer-no-link $(SANITIZE)
FUZZ_BIN    := $(patsubst tests/fuzz/%_fuzz.c,$(B)/%-fuzz,$(wildcard tests/fuzz/$(or $(F),*)_fuzz.c))
NOT_DAEMON  := $(B)/obj/user/daemon/main.o

.PHONY: fuzz fuzz-targets
fuzz: $(B)/.deps ## hostile configurations, requests, netlink messages, check answers, state files (as root): SECONDS=60 each, F=api
	$(Q)CLANG='$(CLANG)' scripts/deps.sh fuzz
	$(Q)$(MAKE) --no-print-directory B=build/fuzz CC='$(CLANG)' CFLAGS='$(FUZZ_FLAGS)' fuzz-targets
	$(Q)scripts/fuzz.sh $(or $(SECONDS),60) $(or $(FUZZ_BIN:$(B)/%=build/fuzz/%),$(error tests/fuzz has no $(F)_fuzz.c))

fuzz-targets: $(FUZZ_BIN)

# The library, and of the daemon what the target is about.
$(B)/config-fuzz:  FUZZ_LIBS = jansson yaml-0.1
$(B)/api-fuzz:     $(filter-out $(NOT_DAEMON),$(DAEMON_OBJ)) | $(B)/sluice-responder
$(B)/api-fuzz:     FUZZ_LIBS = $(PACKAGES)
$(B)/netlink-fuzz: $(call objects,$(wildcard user/daemon/nexthop/*.c user/daemon/netlink/*.c) user/daemon/clock.c user/daemon/log.c)
$(B)/netlink-fuzz: FUZZ_LIBS = libuv libmnl
$(B)/netlink-fuzz: private LDFLAGS += $(addprefix -Wl$(comma)--wrap=,recvmsg mnl_socket_sendto uv_now uv_timer_start uv_timer_stop uv_poll_start)
$(B)/answer-fuzz:  $(call objects,$(wildcard user/daemon/health/*.c) user/daemon/clock.c user/daemon/log.c)
$(B)/answer-fuzz:  FUZZ_LIBS = libuv libcurl
$(B)/state-fuzz:   $(call objects,user/daemon/statefile/read.c user/daemon/statefile/record.c)
$(B)/state-fuzz:   FUZZ_LIBS = jansson yaml-0.1

$(B)/%-fuzz: $(B)/obj/tests/fuzz/%_fuzz.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(LINK) -fsanitize=fuzzer -lm $(shell pkg-config --libs $(FUZZ_LIBS))

# ---- benches: docs/benchmarks/README.md says how they measure ------------
bench: $(B)/.deps ## how fast it is (as root): BENCH="program wire clients control", FULL=1
	$(Q)scripts/deps.sh bench
	$(Q)$(MAKE) --no-print-directory all bench-tools
	$(Q)scripts/bench.sh $(BENCH) $(if $(FULL),--full) $(BENCH_ARGS)

bench-keep: ## the last results go to docs/benchmarks, with the day and the machine
	$(Q)scripts/bench.sh keep

bench-compare: $(B)/.deps ## this tree's program against that of BASE=REVISION (as root)
	$(Q)$(MAKE) --no-print-directory all bench-tools
	$(Q)scripts/bench.sh compare $(revision) $(BENCH_ARGS)

# By hand, for it fetches a kernel and installs qemu, as test-guest does.
bench-instructions: $(B)/.deps ## instructions per packet, in qemu (as root): KERNEL=6.12, BASE=REVISION to compare
	$(Q)$(MAKE) --no-print-directory all bench-tools
	$(Q)scripts/bench.sh instructions $(BASE) --kernel $(or $(KERNEL),6.12) $(BENCH_ARGS)

bench-tools: $(B)/bench/program-cost $(B)/bench/wire $(B)/bench/syn.bpf.o ## what the benches run, syn.bpf.o for bench-pktgen.sh too

BENCH_SHARED := frame.c scenario.c counters.c
COST_OBJ     := $(call objects,$(addprefix tests/bench/,$(BENCH_SHARED) program_cost.c measure.c report.c))
WIRE_OBJ     := $(call objects,$(addprefix tests/bench/,$(BENCH_SHARED) wire.c))

$(COST_OBJ) $(WIRE_OBJ): | $(B)/bench/generator.skel.h

$(B)/bench/program-cost: $(COST_OBJ) $(LIB)
$(B)/bench/wire: $(WIRE_OBJ) $(LIB)

$(B)/bench/program-cost $(B)/bench/wire:
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LINK) $(shell pkg-config --libs libbpf jansson yaml-0.1)

# ---- care ---------------------------------------------------------------
lint: $(B)/.deps ## layers, headers, shell, static analysis
	$(Q)$(MAKE) --no-print-directory all
	$(Q)CC='$(CC)' CLANG='$(CLANG)' CLANG_FORMAT='$(CLANG_FORMAT)' LINT_CFLAGS='$(ALL_CFLAGS)' LINT_BPF_CFLAGS='$(BPF_CFLAGS)' scripts/lint.sh

.PHONY: lint-files
lint-files: ## layers and format of FILES='...' alone (scripts/hooks/pre-commit does that)
	$(Q)CC='$(CC)' CLANG='$(CLANG)' CLANG_FORMAT='$(CLANG_FORMAT)' LINT_CFLAGS=- LINT_BPF_CFLAGS=- \
		scripts/lint.sh layers format -- $(or $(strip $(FILES)),$(error FILES='...' is missing)) $(foreach f,$(FILES),$(if $(wildcard $(f)),,$(error no file $(f))))

# For clangd and clang-tidy: a compiler's command for each source, from what make would do.
compile_commands.json: scripts/compile_commands.py $(C_STAMP) $(BPF_STAMP) $(SOURCE_STAMP) Makefile ## for clangd and clang-tidy
	$(call say,JSON,$@)
	$(Q)$(MAKE) --always-make --dry-run --no-print-directory V=1 all bench-tools $(UNIT_BIN) $(TEST_BIN) fuzz-targets | \
		$(PYTHON) -B scripts/compile_commands.py $@

format: ## clang-format all C
	$(Q)$(CLANG_FORMAT) -i $$(git ls-files -co --exclude-standard '*.c' '*.h')

# The unit names the programs where they are installed.
$(B)/sluiced.service: packaging/sluiced.service.in FORCE
	$(Q)mkdir -p $(@D)
	$(Q)sed 's|@PREFIX@|$(PREFIX)|g' $< >$@

install: all $(B)/sluiced.service ## install under $(DESTDIR)$(PREFIX)
	install -D -m 755 $(B)/sluiced $(DESTDIR)$(PREFIX)/sbin/sluiced
	install -D -m 755 $(B)/sluicectl $(DESTDIR)$(PREFIX)/sbin/sluicectl
	install -D -m 755 $(B)/sluice-responder $(DESTDIR)$(PREFIX)/libexec/sluice/sluice-responder
	install -D -m 644 $(B)/sluice.bpf.o $(DESTDIR)$(PREFIX)/lib/sluice/sluice.bpf.o
	install -D -m 644 $(B)/sluicectl.bash-completion $(DESTDIR)$(PREFIX)/share/bash-completion/completions/sluicectl
	install -D -m 644 $(B)/sluiced.service $(DESTDIR)$(PREFIX)/lib/systemd/system/sluiced.service
	install -d $(DESTDIR)$(PREFIX)/share/doc/sluice/examples
	sed 's/^# hash_seed: {file:/hash_seed: {file:/' examples/sluice.yaml >$(DESTDIR)$(PREFIX)/share/doc/sluice/examples/sluice.yaml
	chmod 644 $(DESTDIR)$(PREFIX)/share/doc/sluice/examples/sluice.yaml
	scripts/hash-seed.sh $(DESTDIR)/etc/sluice/hash-seed
	$(foreach m,$(MAN),install -D -m 644 $(m) $(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(m)))/$(notdir $(m));)

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/sbin/sluiced $(DESTDIR)$(PREFIX)/sbin/sluicectl
	rm -rf $(DESTDIR)$(PREFIX)/lib/sluice $(DESTDIR)$(PREFIX)/libexec/sluice $(DESTDIR)$(PREFIX)/share/doc/sluice
	rm -f $(DESTDIR)$(PREFIX)/lib/systemd/system/sluiced.service $(DESTDIR)$(PREFIX)/share/bash-completion/completions/sluicectl
	rm -f $(foreach m,$(MAN),$(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(m)))/$(notdir $(m)))

clean: ## remove build/
	rm -rf $(B)

help: ## this list
	@sed -n 's/^\([a-z0-9_.-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 25
