// Command image makes the image of a program for one platform or several, without a container engine: an OCI archive with the program,
// its licenses and the user that it runs as. The same sources, Go version and SOURCE_DATE_EPOCH give the same bytes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// options say what to make.
type options struct {
	source, program, version, revision, out string
	name                                    reference
	platforms                               []v1.Platform
	created                                 time.Time
}

func main() {
	var o options
	flag.StringVar(&o.source, "source", "../..", "`FOLDER` with the sources")
	flag.StringVar(&o.program, "program", "manager", "`PROGRAM` to make the image of: manager, mazectl or scheduler")
	flag.StringVar(&o.version, "version", "v0.0.0-dev", "`VERSION`, such as v1.2.3")
	flag.StringVar(&o.revision, "revision", "", "`COMMIT` that the sources are of")
	flag.StringVar(&o.out, "out", "image.tar", "`FILE` to write")
	name := flag.String("name", "maregister:dev", "`NAME` of the image, such as registry.example.com/maregister:v1.2.3")
	platforms := flag.String("platform", "linux/amd64,linux/arm64", "`PLATFORMS`, separated by commas")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := errors.Join(o.setName(*name), o.setPlatforms(*platforms))
	if err == nil {
		err = run(ctx, o)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	seconds := int64(0)
	if text := os.Getenv("SOURCE_DATE_EPOCH"); text != "" { // https://reproducible-builds.org/specs/source-date-epoch/
		var err error
		if seconds, err = strconv.ParseInt(text, 10, 64); err != nil {
			return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
	}
	o.created = time.Unix(seconds, 0).UTC()
	index, err := o.index(ctx)
	if err != nil {
		return err
	}
	if err := writeArchive(o.out, index, o.name); err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	fmt.Println(digest)
	return nil
}
