# SPDX-License-Identifier: BSD-2-Clause
# sluice: everything that is built lands in build/. `make help` lists the targets.

CLANG     ?= clang
CC        ?= gcc
CLANG_FORMAT ?= clang-format-14
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
PACKAGES  := libbpf libxdp libuv libmicrohttpd jansson yaml-0.1 libmnl libcap-ng libcurl
# Where $(CC) finds the headers of this architecture, for -target bpf knows none.
ARCH_INC  := $(patsubst %/asm/types.h,%,$(filter %/asm/types.h,$(shell $(CC) -M -include asm/types.h -x c /dev/null)))

WARNINGS  := -Wall -Wextra -Wshadow -Wstrict-prototypes -Werror
CFLAGS    ?= -O2 -g
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(WARNINGS) -D_GNU_SOURCE -DSLUICE_VERSION='"$(VERSION)"' \
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
MAN        := $(wildcard docs/man/*.[1-8])

# `make V=1` shows the commands.
Q         := $(if $(V),,@)
say        = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)')

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: all deps demo test test-quick test-unit test-bpf test-e2e test-survival test-limits test-upgrade config-compare bench bench-keep bench-compare bench-instructions bench-tools lint format install uninstall clean help test-guest

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

# ---- BPF ----------------------------------------------------------------
$(B)/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h include/sluice/*.h) Makefile
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(B)/%.skel.h: $(B)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(notdir $*)_bpf > $@

.SECONDARY: $(B)/responder.bpf.o $(B)/bench/generator.bpf.o

# ---- programs -----------------------------------------------------------
$(B)/obj/%.o: %.c Makefile
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(DAEMON_OBJ): | $(B)/sluice.skel.h $(B)/responder.skel.h

LINK = $(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

$(B)/sluiced: $(DAEMON_OBJ) $(LIB_OBJ)
	$(call say,LINK,$@)
	$(Q)$(LINK) $(shell pkg-config --libs $(PACKAGES))

$(B)/sluicectl: $(CLI_OBJ) $(LIB_OBJ)
	$(call say,LINK,$@)
	$(Q)$(LINK) $(shell pkg-config --libs jansson libcurl yaml-0.1)

# The frame, and what the tool knows of its commands.
$(B)/sluicectl.bash-completion: packaging/sluicectl.bash-completion $(B)/sluicectl
	$(call say,GEN,$@)
	$(Q)cp $< $@
	$(Q)$(B)/sluicectl completion bash >> $@

$(B)/sluice-responder: $(RESPONDER_OBJ) $(LIB_OBJ)
	$(call say,LINK,$@)
	$(Q)$(LINK) $(shell pkg-config --libs libbpf libmicrohttpd jansson yaml-0.1 libcap-ng)

-include $(LIB_OBJ:.o=.d) $(DAEMON_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(RESPONDER_OBJ:.o=.d) $(UNIT_BIN:=.d)

# ---- tests --------------------------------------------------------------
# These include a part of the daemon.
$(B)/unit/health/checks_test $(B)/unit/health/probes_test: UNIT_LIBS = -pthread $(shell pkg-config --libs libuv libcurl)

$(B)/unit/responder/confine_test: UNIT_LIBS = $(shell pkg-config --libs libcap-ng)

$(B)/unit/%: tests/unit/%.c $(LIB_OBJ)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -MF $@.d $< $(LIB_OBJ) -o $@ -lcmocka -lm $(shell pkg-config --libs jansson yaml-0.1) $(UNIT_LIBS)

# What daemon/hops is made of, against the real kernel; tests/netlink/test_hops.py
# runs it in namespaces.
HOPS_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(wildcard user/daemon/nexthop/*.c user/daemon/netlink/*.c)) \
            $(B)/obj/user/daemon/log.o

$(B)/netlink/hops_test: $(wildcard tests/netlink/*.c tests/netlink/*.h) $(HOPS_OBJ) $(LIB_OBJ)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(filter %.c %.o,$^) -o $@ $(shell pkg-config --libs libuv libmnl jansson yaml-0.1) -lm

# The real responder, without the datapath; tests/responder/test_responder.py runs it.
RESPONDER_TEST_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(wildcard user/daemon/responder/*.c)) \
                      $(addprefix $(B)/obj/user/daemon/,datapath/steer.o log.o)

$(B)/responder/responder_test: tests/responder/responder_test.c $(RESPONDER_TEST_OBJ) $(LIB_OBJ) | $(B)/sluice-responder
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)ln -sf ../sluice-responder $(@D)/sluice-responder
	$(Q)$(CC) $(ALL_CFLAGS) $(filter %.c %.o,$^) -o $@ -lm $(shell pkg-config --libs libuv libmnl libbpf jansson yaml-0.1)

# The real program and what writes its maps, against a model of docs/architecture.md,
# Slots and transition.
MODEL_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(wildcard user/daemon/datapath/*.c user/daemon/datapath/*/*.c)) \
             $(B)/obj/user/daemon/log.o

$(B)/model/model_test: $(wildcard tests/model/*.c tests/model/*.h) tests/unit/base/random.h $(MODEL_OBJ) $(LIB_OBJ)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Itests $(filter %.c %.o,$^) -o $@ -pthread -lm $(shell pkg-config --libs libbpf libxdp jansson yaml-0.1)

# Conversations that notice when they are cut, and floods, for tests/e2e.
TRAFFIC_BIN := $(patsubst tests/%.c,$(B)/%,$(wildcard tests/traffic/*.c))

$(B)/traffic/%: tests/traffic/%.c $(wildcard tests/traffic/*.h) Makefile
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $< -o $@

demo: $(B)/.deps ## show a load balancer at work, in namespaces of its own (as root)
	$(Q)$(MAKE) --no-print-directory all
	$(Q)scripts/demo.sh

test: $(B)/.deps ## build and run all tests (as root)
	$(Q)$(MAKE) --no-print-directory all bench-tools $(UNIT_BIN) $(B)/netlink/hops_test $(B)/responder/responder_test $(B)/model/model_test $(TRAFFIC_BIN)
	$(Q)status=0; $(MAKE) --no-print-directory test-unit || status=$$?; \
		$(PYTEST_BESIDE) tests || status=$$?; exit $$status

test-quick: all test-unit $(B)/model/model_test ## units, packets, a tenth of the model: a minute (as root)
	$(Q)SLUICE_QUICK=1 $(PYTEST_BESIDE) tests/bpf tests/model

# What each program says is told in one piece, when it has ended.
test-unit: $(UNIT_BIN) ## the C units (no root)
	$(Q)printf '%s\n' $(UNIT_BIN) | xargs -P $(TEST_JOBS) -n 1 \
		sh -c '"$$0" >"$$0.out" 2>&1; status=$$?; cat "$$0.out"; exit $$status'

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

# By hand: BASE is built in a worktree of its own. A minute.
test-upgrade: all $(TRAFFIC_BIN) ## BASE=REVISION is taken over under load, and nothing is lost (as root)
	$(Q)SLUICE_BASE=$(or $(BASE),$(error BASE=REVISION is missing)) $(PYTEST) -q tests/e2e/upgrade.py

# After a change that must change nothing: 10 000 random configurations, each broken a
# few times, and all texts of the unit tests.
config-compare: ## this tree's configuration against that of BASE=REVISION: N=10000 texts
	$(Q)CC='$(CC)' tests/config/compare.sh $(or $(BASE),$(error BASE=REVISION is missing)) $(N)

# By hand, for it fetches a kernel and installs qemu: see tests/guest/run.sh.
test-guest: all $(B)/bench/syn.bpf.o ## on a Debian kernel in qemu: KERNEL=6.1 or KERNEL=6.12 (as root)
	$(Q)tests/guest/run.sh $(or $(KERNEL),6.1) $(SCENARIOS)

# ---- benches: docs/benchmarks/README.md says how they measure ------------
bench: $(B)/.deps ## how fast it is (as root): BENCH="program wire clients control", FULL=1
	$(Q)scripts/deps.sh bench
	$(Q)$(MAKE) --no-print-directory all bench-tools
	$(Q)scripts/bench.sh $(BENCH) $(if $(FULL),--full) $(BENCH_ARGS)

bench-keep: ## the last results go to docs/benchmarks, with the day and the machine
	$(Q)scripts/bench.sh keep

bench-compare: $(B)/.deps ## this tree's program against that of BASE=REVISION (as root)
	$(Q)$(MAKE) --no-print-directory all bench-tools
	$(Q)scripts/bench.sh compare $(or $(BASE),$(error BASE=REVISION is missing)) $(BENCH_ARGS)

# By hand, for it fetches a kernel and installs qemu, as test-guest does.
bench-instructions: $(B)/.deps ## instructions per packet, in qemu (as root): KERNEL=6.12, BASE=REVISION to compare
	$(Q)$(MAKE) --no-print-directory all bench-tools
	$(Q)scripts/bench.sh instructions $(BASE) --kernel $(or $(KERNEL),6.12) $(BENCH_ARGS)

bench-tools: $(B)/bench/program-cost $(B)/bench/wire $(B)/bench/syn.bpf.o ## what the benches run, syn.bpf.o for bench-pktgen.sh too

$(B)/bench/%.bpf.o: tests/bench/%.bpf.c $(wildcard tests/bench/*.h include/sluice/*.h)
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

BENCH_SHARED := tests/bench/frame.c tests/bench/scenario.c tests/bench/counters.c

$(B)/bench/program-cost: $(BENCH_SHARED) $(addprefix tests/bench/,program_cost.c measure.c report.c)
$(B)/bench/wire: $(BENCH_SHARED) tests/bench/wire.c

$(B)/bench/program-cost $(B)/bench/wire: $(B)/bench/generator.skel.h $(wildcard tests/bench/*.h) $(LIB_OBJ)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -I. -I$(B)/bench $(filter %.c %.o,$^) -o $@ $(shell pkg-config --libs libbpf jansson yaml-0.1)

# ---- care ---------------------------------------------------------------
lint: all ## layers, headers, shell, static analysis
	$(Q)CC='$(CC)' CLANG='$(CLANG)' CLANG_FORMAT='$(CLANG_FORMAT)' LINT_CFLAGS='$(ALL_CFLAGS)' LINT_BPF_CFLAGS='$(BPF_CFLAGS)' scripts/lint.sh

format: ## clang-format all C
	$(Q)$(CLANG_FORMAT) -i $$(git ls-files -co --exclude-standard '*.c' '*.h')

install: all ## install under $(DESTDIR)$(PREFIX)
	install -D -m 755 $(B)/sluiced $(DESTDIR)$(PREFIX)/sbin/sluiced
	install -D -m 755 $(B)/sluicectl $(DESTDIR)$(PREFIX)/sbin/sluicectl
	install -D -m 755 $(B)/sluice-responder $(DESTDIR)$(PREFIX)/libexec/sluice/sluice-responder
	install -D -m 644 $(B)/sluice.bpf.o $(DESTDIR)$(PREFIX)/lib/sluice/sluice.bpf.o
	install -D -m 644 $(B)/sluicectl.bash-completion $(DESTDIR)$(PREFIX)/share/bash-completion/completions/sluicectl
	install -D -m 644 packaging/sluiced.service $(DESTDIR)$(PREFIX)/lib/systemd/system/sluiced.service
	install -D -m 644 examples/sluice.yaml $(DESTDIR)$(PREFIX)/share/doc/sluice/examples/sluice.yaml
	$(foreach m,$(MAN),install -D -m 644 $(m) $(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(m)))/$(notdir $(m));)

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/sbin/sluiced $(DESTDIR)$(PREFIX)/sbin/sluicectl
	rm -rf $(DESTDIR)$(PREFIX)/lib/sluice $(DESTDIR)$(PREFIX)/libexec/sluice $(DESTDIR)$(PREFIX)/share/doc/sluice
	rm -f $(DESTDIR)$(PREFIX)/lib/systemd/system/sluiced.service $(DESTDIR)$(PREFIX)/share/bash-completion/completions/sluicectl
	rm -f $(foreach m,$(MAN),$(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(m)))/$(notdir $(m)))

clean: ## remove build/
	rm -rf $(B)

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 14
