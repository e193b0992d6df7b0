# layerd: build, run, test. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
# What git says of the folder is left out, so that a clone, a worktree and an archive give the same bytes.
GOFLAGS_BUILD := -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)"
GO_DIRS := cmd gcode printer camera internal systemd webui/embed.go
PAGE := $(shell find webui/src webui/index.html webui/package.json webui/package-lock.json webui/vite.config.ts webui/tsconfig.json -type f 2>/dev/null)

# What is left out of the tailnet's library: nothing of it is of use in layerd, and it is a twentieth of the binary. Certificates, logs for who
# allows them, tailnet lock and keys of every kind stay. All programs and tests are built so, and share what is compiled.
TAILNET_OMITS := ace advertiseexitnode advertiseroutes appconnectors aws bird cachenetmap captiveportal capture cliconndiag clientupdate cloud colorable completion \
	completion_scripts conn25 debug debugeventbus debugportmapper desktop_sessions doctor drive flashappliance hujsonconf identityfederation kube \
	linkspeed linuxdnsfight outboundproxy portlist posture qrcodes relayserver remoteconfig runtimemetrics serviceclientprefs ssh synology syslog \
	syspolicy systray taildrop tap tpm tundevstats useexitnode useroutes wakeonlan webbrowser webclient
empty :=
comma := ,
export GOFLAGS := $(strip $(GOFLAGS) -tags=$(subst $(empty) $(empty),$(comma),$(TAILNET_OMITS:%=ts_omit_%)))

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## build everything and start layerd with a pretend printer and camera: no hardware needed
	./bin/layerd --demo

.PHONY: build
build: webui ## build bin/layerd and bin/printsim for this machine
	@mkdir -p bin
	CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -o bin/ ./cmd/layerd ./cmd/printsim

.PHONY: sims
sims: ## build bin/tailnetsim and bin/zerotiersim: pretend networks for trying the way from elsewhere
	@mkdir -p bin
	CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -o bin/ ./cmd/tailnetsim ./cmd/zerotiersim

.PHONY: webui
webui: webui/dist/index.html ## build the page

webui/dist/index.html: webui/node_modules/.package-lock.json $(PAGE)
	cd webui && npm run --silent build

webui/node_modules/.package-lock.json: webui/package.json webui/package-lock.json
	./.ci/need node npm
	cd webui && npm ci --no-audit --no-fund --silent
	@touch $@

.PHONY: test
test: test-go test-webui test-e2e ## every test: Go with -race, TypeScript, the page in a real browser
	@awk '{n += $$1; $$1 = ""; why = why " (" substr($$0, 2) ")"} END {print "clients not tried: " n + 0 why}' .cache/not-tried

# The page is embedded, so it is built first. The race detector needs a C compiler. It makes what one goroutine works out by itself (pictures, long files, thousands
# of seeds) ten times as slow and sees nothing there, so of that -short takes a part; all of it follows without the detector, built as the programs are. The
# vetting that is a part of go test is left out: all of it was done before, of the same builds.
.PHONY: test-go
test-go: build fmt
	./.ci/need gcc ffmpeg ip strace systemd-analyze shellcheck
	./.ci/need python3-venv curl || true # clients of others are not tried without them, and their test says so
	go vet -race ./...
	@mkdir -p .cache && : >.cache/not-tried # tests of others' programs say there which they could not try
	CLIENTS_NOT_TRIED=$(CURDIR)/.cache/not-tried go test -race -short -vet=off -timeout 30m ./...
	CGO_ENABLED=0 go test -trimpath -vet=off -timeout 30m ./gcode ./camera/register ./printer ./internal/guard
	CGO_ENABLED=0 go test -trimpath -vet=off -run GoldenSurveys ./cmd/layerd

.PHONY: fmt
fmt:
	@test -z "$$(gofmt -l $(GO_DIRS))" || { echo "not formatted:"; gofmt -l $(GO_DIRS); exit 1; }

.PHONY: test-webui
test-webui: webui
	cd webui && npm run --silent check && npm test --silent

.PHONY: test-e2e
test-e2e: build sims
	./.ci/need chromium ffmpeg
	cd webui && npm run --silent e2e

.PHONY: test-long
test-long: build sims ## the browser's test that takes as long as the demo's set-up and print do: a layer shift, found and mended; ten minutes
	./.ci/need chromium ffmpeg
	cd webui && node --test --test-timeout=1200000 e2e/long/*.test.mjs

.PHONY: check
check: webui fmt ## the quick checks: formatting, vet, types, unit tests without -race
	go vet ./...
	go test ./...
	cd webui && npm run --silent check && npm test --silent

.PHONY: bench
bench: bench-programs ## benchmarks, in the form that benchstat reads (COUNT=n repeats); then bench-clients
	go test -run '^$$' -bench . -benchmem -count $(or $(COUNT),1) ./gcode ./printer/... ./internal/latest ./internal/store ./internal/unpack ./internal/viewer ./internal/server ./internal/octoprint ./camera
	$(CLIENTBENCH)

# The benchmark's programs stand by themselves: without Node layerd has no page, which does not matter here.
CORPUS ?= ../shared/corpus
CLIENTBENCH = ./bin/bench/streambench --corpus $(CORPUS) --span $(or $(SPAN),6s) --calm $(or $(CALM),0s) --only clients
STREAMBENCH = ./bin/bench/streambench --corpus $(CORPUS) --span $(or $(SPAN),20s) --calm $(or $(CALM),0s) --only '$(ONLY)'

.PHONY: bench-programs
bench-programs:
	@mkdir -p bin/bench
	CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -o bin/bench/ ./cmd/layerd ./cmd/printsim ./cmd/streambench ./cmd/camerabench ./cmd/siegebench ./cmd/awaybench ./cmd/gcodebench ./cmd/writebench ./cmd/tailnetsim

.PHONY: bench-stream
bench-stream: bench-programs ## how well the printer's line is used, against goals: docs/PERFORMANCE.md (SPAN=20s, ONLY=pattern, CALM=0s, CORPUS=dir)
	$(STREAMBENCH)

.PHONY: bench-clients
bench-clients: bench-programs ## a print beside 20 programs that poll OctoPrint's API each second and 20 that are pushed to, by turns with a print alone; a minute or so (SPAN=6s, CALM=0s)
	$(CLIENTBENCH)

.PHONY: bench-peers
bench-peers: bench-programs ## the same beside OctoPrint and Printrun from PyPI, in an environment of their own
	@if ./cmd/streambench/peers/install .cache/bench-peers; then \
	  $(STREAMBENCH) --streamers layerd,one-line --peers .cache/bench-peers; fi

.PHONY: bench-pi
bench-pi: bench-programs ## start, memory, processor and size beside OctoPrint, against goals: docs/PERFORMANCE.md, "On the Pi" (ROUNDS=3, SPAN=20s, ONLY=pattern, CORPUS=dir); about 12 minutes
	@peers=.cache/bench-peers; ./cmd/streambench/peers/install $$peers || peers=; \
	  ./bin/bench/streambench --pi --corpus $(CORPUS) --rounds $(or $(ROUNDS),3) --span $(or $(SPAN),20s) --only '$(ONLY)' --peers "$$peers" --packages 'dist/*.deb'

.PHONY: bench-gcode
bench-gcode: bench-programs ## how fast a file is known, beside OctoPrint and Moonraker, and how well its time agrees: docs/PERFORMANCE.md (ONLY=pattern, CORPUS=dir); about 3 minutes
	@peers=.cache/bench-peers; ./cmd/streambench/peers/install $$peers || peers=; \
	  ./bin/bench/gcodebench --corpus $(CORPUS) --only '$(ONLY)' --peers "$$peers"

.PHONY: bench-viewer
bench-viewer: build ## how smoothly a phone looks at a file of 51.6 MB: docs/PERFORMANCE.md (SLOW=4, CORPUS=dir); some minutes
	./.ci/need chromium
	cd webui && CORPUS=$(CORPUS) SLOW=$(or $(SLOW),4) node e2e/viewerbench.mjs

# In a network of its own OctoPrint announces itself to nobody, and asks nobody for news.
.PHONY: peers
peers: ## layerd's OctoPrint API beside a real OctoPrint from PyPI, field by field (three minutes; RENEW=--renew records OctoPrint anew)
	@mkdir -p bin/bench
	CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -o bin/bench/ ./cmd/layerd ./cmd/printsim ./cmd/octopeer
	@./cmd/streambench/peers/install .cache/bench-peers
	@unshare --net --map-root-user bash -c 'ip link set lo up && exec ./bin/bench/octopeer --octoprint .cache/bench-peers $(RENEW)'

.PHONY: bench-camera
bench-camera: bench-link bench-fanout ## all that the picture costs: on a bad link, for many viewers, and for the print beside them; about 25 minutes
	./bin/bench/streambench --corpus $(CORPUS) --span $(or $(SPAN),20s) --only daemon

.PHONY: bench-link
bench-link: bench-programs ## how old the picture is on a bad link, and how long a tap takes beside it; takes root (SPAN=1m)
	./.ci/need ip
	./bin/bench/camerabench --span $(or $(SPAN),1m)

.PHONY: bench-siege
bench-siege: bench-programs ## a print beside each of ten attacks, and the owner's Pause: docs/PERFORMANCE.md (SPAN=15s, ONLY=pattern); about 8 minutes
	./bin/bench/siegebench --span $(or $(SPAN),15s) --only '$(ONLY)'

.PHONY: bench-away
bench-away: bench-programs ## what the tailnet costs: memory, start, a file and taps on Pause through it (about two minutes)
	./bin/bench/awaybench

.PHONY: bench-writes
bench-writes: bench-programs ## what is written to the card, idle and by printed hour, and why: docs/PERFORMANCE.md; takes root (SPAN=10m, IDLE=3m)
	./.ci/need strace mkfs.ext4
	./bin/bench/writebench --span $(or $(SPAN),10m) --idle $(or $(IDLE),3m)

.PHONY: test-arm
test-arm: ## the tests of what matters on a Pi, built for ARMv6, ARMv7 and arm64, under qemu-user; and layerd for a Pi Zero, which prints
	./.ci/test-arm

.PHONY: clients
clients: bench-programs ## Avahi and Home Assistant's packages look for layerd on a LAN of their own, Debian's PrusaSlicer sends it a print, Home Assistant uses it; takes root (four minutes; ten more at first)
	LAYERD=bin/bench/layerd ./.ci/clients
	LAYERD=bin/bench/layerd ./.ci/prusa-slicer
	BIN=bin/bench ./.ci/home-assistant

.PHONY: vm
vm: build vm-programs ## the package on a Pi of Debian's, in a virtual machine: installed, printing, cables and power pulled, upgraded, purged; takes root (13 minutes, the first time 10 more)
	CGO_ENABLED=0 GOARCH=arm64 go build $(GOFLAGS_BUILD) -o bin/vm/arm64/ ./cmd/vmpi ./cmd/vmcamera
	./.ci/vm-pi

.PHONY: vm-camera
vm-camera: vm-programs ## the cameras of a real kernel in a virtual machine: found, unplugged, plugged in, stuck, damaged; a minute or two
	./.ci/vm camera

.PHONY: vm-programs
vm-programs:
	@mkdir -p bin/vm
	CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -o bin/vm/ ./cmd/vmcamera ./cmd/vmpi

.PHONY: bench-fanout
bench-fanout: bench-programs vm-programs ## what each viewer of the camera costs, beside Debian's ustreamer (PLAN=rounds=3,span=8s,fps=15,viewers=0+1+10+50)
	./.ci/bench-fanout here '$(PLAN)'

.PHONY: vm-fanout
vm-fanout: bench-programs vm-programs ## the same with V4L2 devices, in the virtual machine: the whole way, but an emulated processor
	./.ci/bench-fanout there '$(if $(PLAN),$(PLAN),fps=5,rounds=2)'

.PHONY: eval-shift
eval-shift: ## how well layer shifts are found, in rendered scenes and with the pretend printer: docs/LAYER_SHIFT.md (HOURS=303, LOSSES=1000, CORPUS=dir); the first time it renders for some ten minutes
	./.ci/need povray
	@mkdir -p bin/bench
	CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -o bin/bench/ ./cmd/shifteval
	./bin/bench/shifteval --part endstops --hours $(or $(HOURS),303) --losses $(or $(LOSSES),1000)
	./bin/bench/shifteval --corpus $(CORPUS) --hours $(or $(HOURS),303)

.PHONY: eval-shift-held-out
eval-shift-held-out: ## the same with the scenes that are held out, and with those that Blender renders, if it is installed: once for each version of camera/register
	./.ci/need povray
	@mkdir -p bin/bench
	CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -o bin/bench/ ./cmd/shifteval
	./bin/bench/shifteval --corpus $(CORPUS) --hours $(or $(HOURS),303) --held-out
	@if command -v blender >/dev/null; then ./bin/bench/shifteval --corpus $(CORPUS) --hours $(or $(HOURS),303) --blender; \
	else echo 'The scenes that Blender renders were NOT run: it is not installed. ./.ci/need blender installs it.'; fi

.PHONY: eval-shift-cost
eval-shift-cost: ## what a look for layer shifts costs: time and memory here, and instructions of a 64-bit ARM in qemu: those of 18 looks less those of 6, by 12
	./.ci/need povray qemu-aarch64 cc
	@mkdir -p bin/bench
	CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -o bin/bench/ ./cmd/shifteval
	CGO_ENABLED=0 GOARCH=arm64 go build $(GOFLAGS_BUILD) -o bin/bench/shifteval-arm64 ./cmd/shifteval
	cc -shared -fPIC -O1 -o bin/bench/count.so cmd/shifteval/count/count.c
	./bin/bench/shifteval --part cost --corpus $(CORPUS)
	for n in 6 18; do GOMAXPROCS=1 qemu-aarch64 -plugin ./bin/bench/count.so ./bin/bench/shifteval-arm64 --part looks --looks $$n; done

.PHONY: soak
soak: ## the promise of the streaming, over thousands of seeds: every line once, in order, or a named fault; and of the store, over thousands of power cuts
	LAYERD_SOAK_SEEDS=$(or $(SEEDS),5000) go test -run TestSoak -count 1 -timeout 60m -v ./printer
	./.ci/need strace
	LAYERD_SOAK_CUTS=$(or $(CUTS),50) go test -run TestPowerCut -count 1 -timeout 60m -v ./internal/store

# Every target that there is, wherever it is.
.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (1m; ONLY=pattern)
	@grep -rE --include='*_test.go' '^func Fuzz' cmd gcode printer camera internal | sed -E 's,^(.*)/[^/]*:func (Fuzz[A-Za-z0-9_]*).*,./\1 \2,' | sort | grep -E -- '$(ONLY)' | \
	  while read -r p f; do echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(or $(FUZZTIME),1m) "$$p" </dev/null; done

.PHONY: pi
pi: webui ## static binaries for Raspberry Pi and PC: dist/layerd-linux-arm64, -armv6 and -amd64
	@mkdir -p dist
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 go build $(GOFLAGS_BUILD) -o dist/layerd-linux-arm64 ./cmd/layerd
	CGO_ENABLED=0 GOOS=linux GOARCH=arm GOARM=6 go build $(GOFLAGS_BUILD) -o dist/layerd-linux-armv6 ./cmd/layerd
	CGO_ENABLED=0 GOOS=linux GOARCH=amd64 go build $(GOFLAGS_BUILD) -o dist/layerd-linux-amd64 ./cmd/layerd
	@ls -l dist

ifndef DEB_VERSION
DEB_VERSION := $(shell ./systemd/package/version 2>/dev/null || echo 0.0.0)
endif
DEB_ARCHITECTURES ?= arm64 armhf amd64

.PHONY: deb
deb: build pi ## Debian packages: dist/layerd_VERSION_{arm64,armhf,amd64}.deb (DEB_VERSION=1.2.3, DEB_ARCHITECTURES=arm64)
	./systemd/package/build $(DEB_VERSION) $(DEB_ARCHITECTURES)
	@ls -l dist/*_$(DEB_VERSION)_*.deb

.PHONY: deb-check
deb-check: deb ## lintian, size, the same bytes twice, and dpkg itself: install, upgrade in mid-print and idle, remove, purge; takes root, some minutes
	./.ci/deb-check $(DEB_VERSION)

.PHONY: screenshots
screenshots: build ## take the pictures of docs/ anew
	./.ci/need chromium ffmpeg
	cd webui && npm run --silent screenshots

.PHONY: clean
clean: ## remove what was built
	rm -rf bin dist .cache/bench-peers .cache/vm .cache/vm-pi webui/node_modules webui/dist/assets webui/dist/index.html webui/e2e/out
