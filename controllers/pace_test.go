package controllers

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"k8s.io/client-go/rest"
)

// countedConn counts how often it is read.
type countedConn struct {
	net.Conn
	reads int
	chunk []byte
}

func (c *countedConn) Read(b []byte) (int, error) {
	c.reads++
	if c.reads > 3 {
		return 0, io.EOF
	}
	return copy(b, c.chunk), nil
}

// TestPacedReadsAllAtOnce: however little is asked for at a time, the connection below is read for as much as there is.
func TestPacedReadsAllAtOnce(t *testing.T) {
	below := &countedConn{chunk: make([]byte, 10_000)}
	original := &rest.Config{Dial: func(context.Context, string, string) (net.Conn, error) { return below, nil }}
	conn, err := paced(original).Dial(t.Context(), "tcp", "api:443")
	if err != nil {
		t.Fatal(err)
	}
	total, piece := 0, make([]byte, 7)
	for {
		n, err := conn.Read(piece)
		total += n
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if total != 3*len(below.chunk) || below.reads != 4 {
		t.Errorf("read %d bytes in %d reads, want %d in 4", total, below.reads, 3*len(below.chunk))
	}
}
