// Command image makes the image of a program for every platform without a container engine: an OCI archive with the program,
// the user that it runs as, and nothing else. The same sources, Go version and SOURCE_DATE_EPOCH give the same bytes.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"time"
)

// options say what to make.
type options struct {
	source, program, version, revision, out string
	created                                 time.Time
}

func main() {
	var o options
	flag.StringVar(&o.source, "source", "../..", "`FOLDER` with the sources")
	flag.StringVar(&o.program, "program", "manager", "`PROGRAM` to make the image of: manager or mazectl")
	flag.StringVar(&o.version, "version", "v0.0.0-dev", "`VERSION`, such as v1.2.3")
	flag.StringVar(&o.revision, "revision", "", "`COMMIT` that the sources are of")
	flag.StringVar(&o.out, "out", "image.tar", "`FILE` to write")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o)
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
	if err := writeArchive(o.out, index, o.version); err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	fmt.Println(digest)
	return nil
}
