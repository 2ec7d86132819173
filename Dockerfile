FROM --platform=$BUILDPLATFORM docker.io/library/golang:1.26 AS build
WORKDIR /src
# The modules first: they change less often than the code, and stay in the layer cache.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags='-s -w' -o / ./cmd/manager ./cmd/mazectl

# The command line, for CI and to run beside git-sync: docker build --target mazectl
FROM gcr.io/distroless/static:nonroot AS mazectl
COPY --from=build /mazectl /mazectl
USER 65532:65532
ENTRYPOINT ["/mazectl"]

FROM gcr.io/distroless/static:nonroot
COPY --from=build /manager /manager
USER 65532:65532
ENTRYPOINT ["/manager"]
