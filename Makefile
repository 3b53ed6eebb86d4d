# The only front door. Every target first makes what it needs, and tells what takes long. With a warm
# cache that needs neither time nor network.

define help_text
NAT-f for Linux: reach a host behind a NAT by its name.

  make demo       the whole thing, told by four virtual machines on Debian's own kernel: a client, the
                  internet, a home router with its NAT, and the hosts behind it
  make test       host tests, all scenarios in User-Mode Linux, a chosen set on Debian's kernel in
                  QEMU, half a minute of each fuzz target; the last line is "N passed, N failed"
  make bench      measure: how fast, how much memory, beside other ways through a NAT; writes
                  docs/benchmarks.md
  make fuzz       feed the parsers made-up messages for TIME seconds each (an hour), two at a time; what was
                  learnt and found stays in the cache
  make modules    build natf_en.ko and natf_router.ko for Debian's kernel, and tell where they are
  make install    put them into /lib/modules of this system, if it runs that kernel
  make deb        build the Debian packages natf-dkms, natf-tools and libnss-natf, check them with lintian,
                  and tell where they are: docs/install.md
  make metadata   make the Rust metadata that kernel header packages lack, for that kernel
  make lint       rustfmt, clippy and shellcheck
  make clean      remove what was built from this checkout
  make distclean  remove the cache, too: the next run builds everything again; only what `make fuzz` has
                  learnt and found stays

It needs root on a Debian (amd64), 8 GB of disk, and the network for the first run, which takes about
ten minutes. Everything, compilers and kernels and guests, is kept in a cache folder; the host gets
nothing but the package mmdebstrap. `sandbox/enter` opens a shell among the compilers.

Variables, as in `make test GUEST=uml`:

  SCENARIO=name            test: only this scenario of tests/scenarios (or several, in quotes)
  GUEST=uml|qemu|debug     test: only User-Mode Linux, or only Debian's kernel in QEMU, or only User-Mode
                           Linux with KASAN, UBSAN, lockdep, kmemleak and more, which a plain `make
                           test` leaves out: its kernel takes another quarter of an hour to build, once
  GUEST=packages           test: install the Debian packages on two machines in QEMU, configure them, and
                           reboot; not a part of a plain `make test` either
  ROUNDS=N                 test: how often a removal under load is repeated; 2 or 3, or 200 with GUEST=debug
  MINUTES=N SEED=N         test: how long fuzz-packets takes, instead of 3 s, and from where its choices start
  BENCH=name               bench: only this group of tests/bench/groups (or several, in quotes)
  TIME=3600                fuzz: seconds for each target
  RUNS=5                   bench: rounds, each with every contender
  DNS=wildcard|cname|several  demo: how the router's name is in the DNS
  KDIR=folder              modules, install: build for the kernel with this build folder. It must
                           have CONFIG_RUST, Rust metadata, and the compilers of the sandbox
  NATF_CACHE=folder        the cache; without it ~/.cache/natf
  NATF_MIRROR=address      the Debian mirror; without it the one that this host's apt uses
endef

.PHONY: help demo test bench fuzz modules install deb metadata lint clean distclean check-arguments compilers \
	qemu-guests uml-guests debug-guests packages-guests
.NOTPARALLEL:

help:
	$(info $(help_text))
	@:

compilers:
	@sandbox/build-root
	@sandbox/rust-metadata

metadata: compilers
ifdef KDIR
	@echo 'This is for the kernel of the build root. For KDIR=$(KDIR) run "make prepare" in the source of'
	@echo 'that kernel, with its configuration and its compilers; then its build folder has the metadata.'
endif

modules: compilers
	@sandbox/modules stock

install: compilers
	@sandbox/install

deb:
	@sandbox/package-root
	@packaging/build

check-arguments:
	@sandbox/check-arguments

qemu-guests: check-arguments compilers
	@sandbox/guest-root
	@KDIR= sandbox/modules stock >/dev/null

uml-guests: check-arguments compilers
	@sandbox/guest-root
	@sandbox/uml-kernel
	@sandbox/modules uml >/dev/null

debug-guests: check-arguments compilers
	@sandbox/guest-root
	@sandbox/uml-kernel debug
	@sandbox/modules debug >/dev/null

packages-guests: qemu-guests
	@sandbox/package-root
	@sandbox/machine-root

demo: qemu-guests
	@tests/demo/run

test: check-arguments $(or $(patsubst %,%-guests,$(filter uml qemu debug packages,$(GUEST))),qemu-guests uml-guests)
	@$(if $(filter packages,$(GUEST)),tests/packages/run,tests/run $(SCENARIO))

bench: check-arguments qemu-guests uml-guests
	@tests/bench/run

fuzz: check-arguments compilers
	@rust/natf/fuzz/run $(or $(TIME),3600)

lint: compilers
	@sandbox/lint

clean:
	@sandbox/clean checkout

distclean:
	@sandbox/clean cache
