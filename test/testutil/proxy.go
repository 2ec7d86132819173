package testutil

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
)

// Proxy stands between an operator and the API server, and can be cut or fall silent.
type Proxy struct {
	// Address is where it listens.
	Address string
	target  string

	mu       sync.Mutex
	listener net.Listener // nil while it is cut
	links    map[*link]bool
}

// link is a connection through the proxy.
type link struct {
	near, far net.Conn
	silent    atomic.Bool
}

// StartProxy starts a proxy for connections to an address. The caller cuts it in the end.
func StartProxy(target string) (*Proxy, error) {
	address, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	p := &Proxy{Address: address, target: target, links: map[*link]bool{}}
	return p, p.Open()
}

// Open lets connections through, at the same address as before.
func (p *Proxy) Open() error {
	listener, err := net.Listen("tcp", p.Address)
	if err != nil {
		return fmt.Errorf("listen for an operator: %w", err)
	}
	p.mu.Lock()
	p.listener = listener
	p.mu.Unlock()
	go p.accept(listener)
	return nil
}

func (p *Proxy) accept(listener net.Listener) {
	for {
		near, err := listener.Accept()
		if err != nil {
			return // it was closed
		}
		far, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = near.Close() // which tells the operator
			continue
		}
		l := &link{near: near, far: far}
		p.mu.Lock()
		cut := p.listener != listener
		p.links[l] = true
		p.mu.Unlock()
		if cut {
			p.drop(l)
			continue
		}
		go p.copy(l, near, far)
		go p.copy(l, far, near)
	}
}

// copy moves bytes in one direction. On a silent link they get lost, and the connection stays open.
func (p *Proxy) copy(l *link, to io.Writer, from io.Reader) {
	defer p.drop(l)
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if l.silent.Load() {
			n = 0
		}
		if _, failed := to.Write(buffer[:n]); failed != nil || err != nil {
			return
		}
	}
}

func (p *Proxy) drop(l *link) {
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
	_, _ = l.near.Close(), l.far.Close()
}

// Cut closes every connection, and refuses new ones.
func (p *Proxy) Cut() error {
	p.mu.Lock()
	listener, links := p.listener, p.links
	p.listener, p.links = nil, map[*link]bool{}
	p.mu.Unlock()
	if listener == nil {
		return nil
	}
	err := listener.Close()
	for l := range links {
		err = errors.Join(err, ignoreClosed(l.near.Close()), ignoreClosed(l.far.Close()))
	}
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Silence has the connections that there are fall silent; new ones work.
func (p *Proxy) Silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.silent.Store(true)
	}
}

// given are the ports that FreeAddress returned, and never returns again: that of a proxy that is cut seems free.
var given sync.Map

// FreeAddress returns a loopback address that was free just now. Its port is below those that systems give to outgoing connections,
// so that none of them takes it while a proxy is cut.
func FreeAddress() (string, error) {
	const lowest, ports, tries = 10000, 20000, 1000
	var failed error
	for range tries {
		port := lowest + rand.IntN(ports)
		if _, again := given.LoadOrStore(port, true); again {
			continue
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return listener.Addr().String(), listener.Close()
		}
		failed = err
	}
	return "", errors.Join(errors.New("no port is free"), failed)
}
