# The programs, for one platform or many: docker buildx build --platform linux/amd64,linux/arm64 .
# "make archive" makes the same images without docker.

# The compiler: the version that go.mod names, so that no known fault of the standard library is linked. To pin the image, too:
# --build-arg GO_IMAGE=docker.io/library/golang:1.26.11@sha256:…
ARG GO_IMAGE=docker.io/library/golang:1.26.11
FROM --platform=$BUILDPLATFORM $GO_IMAGE AS build
WORKDIR /src
# The modules first: they change less often than the code, and stay in the layer cache.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION=v0.0.0-dev REVISION=
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false -o / \
    -ldflags="-s -w -buildid= -X github.com/maze-agent/maregister/internal/version.number=$VERSION -X github.com/maze-agent/maregister/internal/version.revision=$REVISION" \
    ./cmd/manager ./cmd/mazectl
RUN mkdir /etc/nonroot && \
    printf 'root:x:0:\nnonroot:x:65532:\n' >/etc/nonroot/group && \
    printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n' >/etc/nonroot/passwd

# Only for --target scheduler.
FROM build AS build-scheduler
ARG TARGETOS TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false -o / -ldflags="-s -w -buildid=" ./examples/scheduler

# No base image: nothing in it would be used. A Pod gets the API server's certificates with its service account.
FROM scratch AS base
ARG VERSION=v0.0.0-dev REVISION= CREATED=
LABEL org.opencontainers.image.source="https://github.com/maze-agent/maregister" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /etc/nonroot /etc
COPY LICENSE THIRD_PARTY_NOTICES /licenses/
USER 65532:65532

# The command line, for CI and to run beside git-sync: docker build --target mazectl
FROM base AS mazectl
LABEL org.opencontainers.image.title="mazectl" \
      org.opencontainers.image.description="Command line of MaRegister: finds, checks and applies Maze's tasks"
COPY --from=build /mazectl /mazectl
ENTRYPOINT ["/mazectl"]

# The example of a scheduler, for docs/scheduler.md: docker build --target scheduler
FROM base AS scheduler
LABEL org.opencontainers.image.title="maze-scheduler" \
      org.opencontainers.image.description="Example of a scheduler: runs workflows of Maze's tasks as Pods"
COPY --from=build-scheduler /scheduler /scheduler
ENTRYPOINT ["/scheduler"]

FROM base AS manager
LABEL org.opencontainers.image.title="maregister" \
      org.opencontainers.image.description="Kubernetes operator that publishes Maze's tasks as a registry"
COPY --from=build /manager /manager
ENTRYPOINT ["/manager"]
