# Both programs, for one platform or many: docker buildx build --platform linux/amd64,linux/arm64 .
FROM --platform=$BUILDPLATFORM docker.io/library/golang:1.26 AS build
WORKDIR /src
# The modules first: they change less often than the code, and stay in the layer cache.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION=v0.0.0-dev REVISION=
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false -o / \
    -ldflags="-s -w -buildid= -X github.com/maze-agent/maregister/internal/version.number=$VERSION -X github.com/maze-agent/maregister/internal/version.revision=$REVISION" \
    ./cmd/manager ./cmd/mazectl

FROM gcr.io/distroless/static:nonroot AS base
ARG VERSION=v0.0.0-dev REVISION= CREATED=
LABEL org.opencontainers.image.source="https://github.com/maze-agent/maregister" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532

# The command line, for CI and to run beside git-sync: docker build --target mazectl
FROM base AS mazectl
LABEL org.opencontainers.image.title="mazectl" \
      org.opencontainers.image.description="Command line of MaRegister: finds, checks and applies Maze's tasks"
COPY --from=build /mazectl /mazectl
ENTRYPOINT ["/mazectl"]

FROM base AS manager
LABEL org.opencontainers.image.title="maregister" \
      org.opencontainers.image.description="Kubernetes operator that publishes Maze's tasks as a registry"
COPY --from=build /manager /manager
ENTRYPOINT ["/manager"]
