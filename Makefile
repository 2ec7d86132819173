# Needs Go and make. What else a target needs, it says in its help.

# The image of the operator, unless make archive is asked for that of another program.
IMG ?= $(or $(IMG_OF_$(PROGRAM)),maregister):dev
IMG_OF_mazectl = mazectl
IMG_OF_scheduler = maze-scheduler
VERSION ?= v0.0.0-dev
RELEASE_URL ?= https://github.com/maze-agent/maregister/releases/download/$(VERSION)
HELM_DOCS ?= go -C hack/helm-docs tool helm-docs
KREW ?= go run sigs.k8s.io/krew/cmd/krew@v0.4.3
MANIFEST ?= dist/install.yaml
PROGRAM ?= manager
PLATFORM ?= linux/amd64,linux/arm64
N ?= 2000
KUBECTL ?= kubectl
CONTAINER_TOOL ?= docker
PYTHON ?= python3

# A workspace of the user's would hide the go.mod files that pin the tools and the control plane.
export GOWORK := off
# Go keeps its cache; golangci-lint and envtest (ports in use) keep theirs here, not in the home folder.
export GOCACHE := $(shell go env GOCACHE)
export XDG_CACHE_HOME := $(CURDIR)/bin/cache

# What images are labelled with. An image's times are those of the commit, so that two builds give the same digest.
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null)
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),0)
CREATED = $(shell TZ=UTC0 git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null)

# The version that both programs print, and the commit, which the manager tells in its log and its metrics.
LDFLAGS = -X github.com/maze-agent/maregister/internal/version.number=$(VERSION) \
	-X github.com/maze-agent/maregister/internal/version.revision=$(REVISION)

BUILD_MANAGER = go build -ldflags '$(LDFLAGS)' -o bin/manager ./cmd/manager

TOOL = go tool -modfile=hack/tools/go.mod
# The modules of this repository that have code.
LINTED = . hack/controlplane hack/image hack/pythonparser test/deploy
# All modules but hack/tools, whose tools' tests do not agree on a version of genproto.
TIDY = $(LINTED) hack/docs hack/helm-docs hack/monitoring hack/vuln
CONTROLLER_GEN = $(TOOL) controller-gen
KUSTOMIZE = $(TOOL) kustomize

# Sets KUBEBUILDER_ASSETS to a folder with a control plane; the first time, it fetches or builds it.
CONTROL_PLANE_GO = GOFLAGS= go -C hack/controlplane
WITH_CONTROL_PLANE = KUBEBUILDER_ASSETS=$$($(CONTROL_PLANE_GO) run . --dir '$(CURDIR)/bin/controlplane' etcd kube-apiserver $(1)) \
	&& export KUBEBUILDER_ASSETS

GO_VERSION := $(shell sed -n 's/^toolchain go//p' go.mod)
# Programs are compiled by a Go without known vulnerabilities, whichever one is installed and whatever GOTOOLCHAIN is in the environment.
# The go command fetches it as a module. Without a network: make build GOTOOLCHAIN=local
build vuln release archive: export GOTOOLCHAIN := go$(GO_VERSION)

# The race detector needs cgo, and that a C compiler.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

GENERATED = api/v1alpha1/applyconfiguration 'api/v1alpha1/zz_generated.*' 'config/crd/registry.*' config/rbac/role.yaml charts/maregister/files/crds charts/maregister/files/rbac \
	charts/maregister/README.md docs/api.md internal/discover/python/treesitter THIRD_PARTY_NOTICES

.DEFAULT_GOAL := help
.PHONY: help
help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Show tasks becoming a registry on a real API server, until Ctrl-C (ONCE=1: end by itself).
	@echo 'demo: compiling the manager (1 of 3); the first time, all three take minutes' && $(BUILD_MANAGER)
	@echo 'demo: compiling the demo (2 of 3)' && go build -o bin/demo ./hack/demo
	@echo 'demo: looking for a control plane (3 of 3)' && $(call WITH_CONTROL_PLANE) && exec bin/demo

.PHONY: test
test: ## Run every test, with the race detector where there is a C compiler.
	$(if $(RACE),,$(info make test: there is no C compiler, so no race detector))
	$(CONTROL_PLANE_GO) test ./...
	go -C hack/pythonparser test ./...
	@$(MAKE) --no-print-directory pythontests
	@$(MAKE) --no-print-directory programs
	@$(call WITH_CONTROL_PLANE,kube-scheduler kube-controller-manager kubectl) && set -x && go test $(RACE) -timeout 40m ./... && go -C test/deploy test $(RACE) -timeout 30m ./...

# The tests of the Python package, where there is a Python: from its wheel in an empty virtual environment, where one can be built, and
# otherwise from its sources. Its name has no help.
.PHONY: pythontests
pythontests:
	@if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then \
		echo 'make test: there is no Python 3.9 or later (PYTHON=$(PYTHON)): THE PYTHON PACKAGE WAS NOT TESTED, AND NO COMPILED WORKFLOW WILL BE RUN'; \
	elif $(PYTHON) python/package.py --check; then set -x; $(PYTHON) python/package.py --out bin/cache/python; \
	else echo 'make test: SDIST AND WHEEL OF THE PYTHON PACKAGE WERE NOT BUILT, and its tests are run from its sources'; \
		set -x; PYTHONPATH=python/src $(PYTHON) -m unittest discover -s python/tests; fi

# What tests compile while they run, compiled before, so that no test's time depends on what is in Go's cache. Its name has no help.
.PHONY: programs
programs:
	@set -e; i=0; say() { i=$$((i + 1)); echo "compiling $$1 ($$i of 5); at once if it is in Go's cache"; }; \
	for arch in amd64 arm64; do say "the manager as images have it, for $$arch"; \
		CGO_ENABLED=0 GOFLAGS= GOOS=linux GOARCH=$$arch GOAMD64=v1 GOARM64=v8.0 go build -trimpath -buildvcs=false -o bin/cache/ ./cmd/manager; done; \
	say 'the builder of images'; GOFLAGS= go -C hack/image build -o $(CURDIR)/bin/cache/image .; \
	for tool in promtool kube-state-metrics; do say "$$tool"; GOFLAGS= go -C hack/monitoring tool -n $$tool >/dev/null; done

.PHONY: lint
lint: ## Check style, imports between packages, API conventions, and that go.mod and generated files are up to date (needs git).
	@set -e; for module in $(TIDY); do go -C $$module mod tidy -diff || \
		{ echo "make lint: $$module/go.mod names other modules than it needs: go -C $$module mod tidy" >&2; exit 1; }; done
	@set -e; for module in $(LINTED); do \
		echo "golangci-lint run in $$module"; (cd $$module && go tool -modfile='$(CURDIR)/hack/tools/go.mod' golangci-lint-kube-api-linter run); done
	@if command -v mypy >/dev/null; then set -x; mypy --config-file python/pyproject.toml --strict python/src; \
		else echo 'make lint: there is no mypy (apt-get install mypy), so the types of the Python package were not checked'; fi
	@$(MAKE) --no-print-directory generate
	@git diff --exit-code -- $(GENERATED) && test -z "$$(git ls-files --others --exclude-standard -- $(GENERATED))" || \
		{ echo 'make lint: generated files were not up to date; "make generate" has just made them: commit them' >&2; exit 1; }

.PHONY: generate
generate: ## Generate deep copies, apply configurations, CRD, RBAC, the chart's share of them, docs/api.md, THIRD_PARTY_NOTICES and, if its inputs changed, the Python parser.
	$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt applyconfiguration:headerFile=hack/boilerplate.go.txt \
		crd output:crd:dir=config/crd paths=./api/...
	$(CONTROLLER_GEN) rbac:roleName=maregister-manager output:rbac:dir=config/rbac paths='./controllers/...;./cmd/manager/...'
	cp config/crd/registry.*.yaml charts/maregister/files/crds/
	cp config/rbac/role.yaml charts/maregister/files/rbac/
	$(HELM_DOCS) --chart-search-root=../../charts --log-level=warning --sort-values-order=file
	go tool -modfile=hack/docs/go.mod crd-ref-docs --config hack/docs/config.yaml --renderer markdown --log-level ERROR \
		--source-path api/v1alpha1 --output-path docs/api.md
	go -C hack/pythonparser run . --out ../../internal/discover/python/treesitter
	go run ./hack/notices

.PHONY: build
build: ## Build bin/manager and bin/mazectl.
	$(BUILD_MANAGER)
	go build -ldflags '$(LDFLAGS)' -o bin/mazectl ./cmd/mazectl

.PHONY: bench
bench: build ## Measure the operator against a plain client, on real API servers (N=2000 tasks; ARGS=-help tells more).
	@go build -o bin/bench ./hack/bench
	@$(call WITH_CONTROL_PLANE) && exec bin/bench -n $(N) $(ARGS)

.PHONY: faults
faults: N = 300
faults: ## Run the manager under N plans of faults and every named one (SEED=7 PARALLEL=8 MANAGER=path SCENARIO=workflow; REPLAY=seed/number or a name repeats one).
	@$(call WITH_CONTROL_PLANE) && go test ./test/faults -count=1 -timeout 0 -v -run $(if $(REPLAY),'^TestReplay$$','TestPlans|TestNamed') -plans $(N) \
		$(if $(REPLAY),-replay '$(REPLAY)') $(if $(SEED),-seed $(SEED)) $(if $(PARALLEL),-plans-at-a-time $(PARALLEL)) $(if $(SCENARIO),-scenario $(SCENARIO)) \
		$(if $(MANAGER),-manager '$(abspath $(MANAGER))')

.PHONY: image
image: ## Build the container image IMG (needs docker, or CONTAINER_TOOL).
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(CONTAINER_TOOL) build -t '$(IMG)' --build-arg VERSION='$(VERSION)' --build-arg REVISION='$(REVISION)' \
		--build-arg CREATED='$(CREATED)' --build-arg GO_IMAGE='docker.io/library/golang:$(GO_VERSION)' .

.PHONY: archive
archive: ## Build the image IMG of PROGRAM (manager, mazectl or scheduler) as an OCI archive in dist/, without a container engine (PLATFORM=linux/amd64).
	@SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) GOFLAGS= go -C hack/image run . -source '$(CURDIR)' -program '$(PROGRAM)' -version '$(VERSION)' \
		-revision '$(REVISION)' -name '$(IMG)' -platform '$(PLATFORM)' -out '$(CURDIR)/dist/$(PROGRAM)-image.tar'

.PHONY: python
python: ## Build the Python package's sdist, wheel and zipapp in dist/, and test what was built (needs Python with setuptools and wheel).
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(PYTHON) python/package.py --out '$(CURDIR)/dist'

.PHONY: vuln
vuln: ## Look for known vulnerabilities that the programs can reach (needs the Go module proxy, where the database is a module).
	@source=$$(cd hack/vuln && go mod download -json golang.org/x/vulndb@latest | sed -n 's/^\t"Dir": "\(.*\)",*$$/\1/p') && \
		test -n "$$source" || { echo 'make vuln: the vulnerability database could not be had from the Go module proxy: NOTHING WAS CHECKED' >&2; exit 1; } && \
		database='$(CURDIR)'/bin/vulndb/$${source##*@} && echo "make vuln: golang.org/x/vulndb@$${source##*@}" && \
		{ test -d "$$database" || { go tool -modfile=hack/vuln/go.mod indexdb -out "$$database.new" -vulns "$$source/data/osv" && mv "$$database.new" "$$database"; }; } && \
		go tool -modfile=hack/vuln/go.mod govulncheck -db "file://$$database" ./...

.PHONY: release
release: ## Make mazectl's archives, checksums and krew manifest in dist/ (VERSION=v1.2.3), and have krew install them.
	go run ./hack/release -out dist -version '$(VERSION)' -revision '$(REVISION)' -url '$(RELEASE_URL)'
	@KREW_ROOT=$$(mktemp -d) && export KREW_ROOT && trap 'rm -rf "$$KREW_ROOT"' EXIT && set -x && \
		$(KREW) install --manifest=dist/maze.yaml --archive=dist/mazectl_$$(go env GOOS)_$$(go env GOARCH).tar.gz && \
		"$$KREW_ROOT/bin/kubectl-maze" version

.PHONY: install
install: ## Install the CRD into the cluster of the current kubeconfig (needs kubectl).
	$(KUSTOMIZE) build config/crd | $(KUBECTL) apply --server-side -f -

.PHONY: uninstall
uninstall: ## Remove the CRD, and with it every MazeTask, from the cluster (needs kubectl).
	$(KUSTOMIZE) build config/crd | $(KUBECTL) delete --ignore-not-found -f -

.PHONY: deploy
deploy: ## Install the CRD and the operator with the image IMG into the cluster (needs kubectl).
	$(KUSTOMIZE) build config/default | sed 's|image: maregister:dev|image: $(IMG)|' | $(KUBECTL) apply --server-side -f -

.PHONY: manifest
manifest: ## Write MANIFEST (dist/install.yaml), which installs the CRD and the operator with the image IMG by kubectl alone.
	@mkdir -p '$(dir $(MANIFEST))'
	$(KUSTOMIZE) build config/default | sed 's|image: maregister:dev|image: $(IMG)|' >'$(MANIFEST)'

.PHONY: undeploy
undeploy: ## Remove the operator and the CRD, and with it every MazeTask, from the cluster (needs kubectl).
	$(KUSTOMIZE) build config/default | $(KUBECTL) delete --ignore-not-found -f -
