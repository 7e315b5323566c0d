# What a newcomer types. `make run` plays, `make test` tests; both set up what they need first.
#   make run [PATCH=patches/x.json] [ARGS="--rate 96000"]     make test [FILTER=...]
#   make quality [FILTER=ladder] measures what the modules promise and prints it as a table
#   make arm64 counts the instructions each module takes a frame on arm64, without an arm64 machine
#   make gate [ARGS=--accept NOTE="why"]     counts the instructions of four patches and compares them with what was accepted (docs/gate.md)
#   make proof [ARGS=--all]     proves of the engine that real-time code reaches no allocation, lock, exception or wait
#   make image [ARGS="--key update.pub"]     makes the image of a card for the ROCKPro64 (docs/updates.md); board/flash writes it
#   make build [CHECKED=1] [RID=linux-arm64]     make bench     make bench-kernels     make bench-peers [ARGS="--rounds 3"]     make format     make clean
#   make cross RID=linux-arm64 builds a target's bundle in a container     make cross-test tries that on this machine alone
#   make target-test [FILTER=...] starts our own system in a virtual machine and plays, deploys, updates and breaks it
#   make bundle [RID=...] [BENCHMARKS=1] packs a build for a target     make deploy HOST=root@module [ARGS=...] puts it there over SSH
RID ?= linux-$(shell uname -m | sed 's/x86_64/x64/;s/aarch64/arm64/')
CHECKED ?=
BENCHMARKS ?=
PATCH ?=
ARGS ?=
HOST ?=
FILTER ?=
NOTE ?=

export DOTNET_CLI_TELEMETRY_OPTOUT = 1
export DOTNET_NOLOGO = 1
export DOTNET_SKIP_FIRST_TIME_EXPERIENCE = 1

.PHONY: run test build bundle image cross cross-test deploy target-test proof quality arm64 gate bench bench-kernels bench-peers format clean

run: build
	@artifacts/bin/ssp run $(PATCH) $(ARGS)

build:
	@tools/setup.sh run
	@tools/build.sh $(RID) $(if $(CHECKED),checked)

bundle: build
	@tools/bundle.sh $(RID) $(if $(BENCHMARKS),benchmarks)

cross:
	@tools/cross.sh $(RID)

cross-test:
	@tools/setup.sh cross
	@tools/cross-test.sh

deploy:
	@deploy/ssp-deploy --host "$(HOST)" $(ARGS) push

target-test:
	@tools/setup.sh test
	@tools/target-test.sh "$(FILTER)"

proof: build
	@tools/proof.sh $(RID) $(ARGS)

test:
	@tools/setup.sh test
	@tools/build.sh $(RID)
	@tools/bundle.sh $(RID)
	@tools/test-builds.sh $(RID)
	@tools/test.sh "$(FILTER)"

quality:
	@tools/setup.sh run
	@tools/quality.sh "$(FILTER)"

arm64:
	@tools/setup.sh test
	@dotnet test tests/SspHost.Arm64.Tests -c Release --nologo -v q --filter InstructionTests
	@cat artifacts/arm64/instructions.txt

gate: export SSP_NOTE = $(NOTE)
gate: build
	@tools/setup.sh gate
	@$(if $(filter --accept,$(ARGS)),SSP_UPDATE=1) dotnet test tests/SspHost.Gate.Tests -c Release --nologo -v q --filter Four_patches
	@cat artifacts/gate/instructions.txt

bench: build
	@tools/setup.sh bench
	@artifacts/bin/ssp bench all $(ARGS)
	@artifacts/bin/ssp bench modules --module none $$(tools/peers.sh | sed 's/^/--peers /') $(ARGS)

bench-peers: build
	@tools/setup.sh peers
	@tools/peers.sh --all >/dev/null
	@dotnet build tests/SspHost.Peers -c Release -v q --nologo
	@dotnet artifacts/build/net10.0/SspHost.Peers/Release/SspHost.Peers.dll $(ARGS)

bench-kernels:
	@tools/setup.sh run
	@dotnet build tests/SspHost.Benchmarks -c Release -v q --nologo
	@dotnet artifacts/build/net10.0/SspHost.Benchmarks/Release/SspHost.Benchmarks.dll $(ARGS)

image:
	@tools/setup.sh target
	@board/image.sh $(ARGS)

format:
	@dotnet format SspHost.sln

clean:
	@rm -rf artifacts
