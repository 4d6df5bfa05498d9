package socket_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/socket"
)

// pair is a connection's two ends, the first one as a Conn.
func pair(t testing.TB, network, address string) (*socket.Conn, net.Conn) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ours, err := net.Dial(network, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	return socket.New(ours), theirs
}

// each runs a test over everything that a Conn can be made from.
func each(t *testing.T, test func(t *testing.T, ours *socket.Conn, theirs net.Conn)) {
	t.Run("tcp", func(t *testing.T) {
		ours, theirs := pair(t, "tcp", "127.0.0.1:0")
		test(t, ours, theirs)
	})
	t.Run("unix", func(t *testing.T) {
		ours, theirs := pair(t, "unix", filepath.Join(t.TempDir(), "s"))
		test(t, ours, theirs)
	})
	t.Run("wrapped", func(t *testing.T) { // as under TLS: there is no socket to get at
		ours, theirs := pair(t, "tcp", "127.0.0.1:0")
		test(t, socket.New(struct{ net.Conn }{ours.Conn}), theirs)
	})
}

// TestTransfer: more than the socket holds goes both ways at once, and the end of
// one direction is seen.
func TestTransfer(t *testing.T) {
	each(t, func(t *testing.T, ours *socket.Conn, theirs net.Conn) {
		sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
		go func() {
			io.Copy(theirs, theirs)
			theirs.Close()
		}()
		wrote := make(chan error, 1)
		go func() {
			n, err := ours.Write(sent)
			if err == nil && n != len(sent) {
				err = io.ErrShortWrite
			}
			wrote <- err
		}()
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(ours, got); err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("read back: %v, the same %v", err, bytes.Equal(got, sent))
		}
		if err := <-wrote; err != nil {
			t.Fatal(err)
		}
		if t.Name() == "TestTransfer/wrapped" {
			if err := ours.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("half a close of what cannot: %v", err)
			}
			return
		}
		if err := ours.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if n, err := ours.Read(got); n != 0 || err != io.EOF {
			t.Errorf("after the end: %d, %v", n, err)
		}
	})
}

// TestEnd: what ends reads and writes, and that it can be told apart.
func TestEnd(t *testing.T) {
	each(t, func(t *testing.T, ours *socket.Conn, theirs net.Conn) {
		p := make([]byte, 10)
		ours.SetReadDeadline(time.Now().Add(time.Millisecond))
		if n, err := ours.Read(p); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("deadline: %d, %v", n, err)
		}
		much := make([]byte, 64<<20)
		ours.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		n, err := ours.Write(much)
		if n == 0 || n == len(much) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write deadline: %d, %v", n, err)
		}
		ours.SetDeadline(time.Time{})
		blocked := make(chan error, 1)
		go func() {
			_, err := ours.Read(p)
			blocked <- err
		}()
		ours.Close()
		if err := <-blocked; !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed meanwhile: %v", err)
		}
		if _, err := ours.Write(p); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed before: %v", err)
		}
	})
}

func TestPeerLeaves(t *testing.T) {
	each(t, func(t *testing.T, ours *socket.Conn, theirs net.Conn) {
		theirs.Write([]byte("bye"))
		theirs.Close()
		got, err := io.ReadAll(ours)
		if string(got) != "bye" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		for err == nil { // the first writes may go into the void
			_, err = ours.Write([]byte("x"))
		}
		var broken *net.OpError
		if !errors.As(err, &broken) || !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("write to nobody: %v", err)
		}
	})
}

// TestWriteNow: it writes what fits and never waits, and nothing without a socket.
func TestWriteNow(t *testing.T) {
	each(t, func(t *testing.T, ours *socket.Conn, theirs net.Conn) {
		total := 0
		for {
			n, err := ours.WriteNow(make([]byte, 1<<20))
			if err != nil {
				t.Fatal(err)
			}
			if total += n; n < 1<<20 {
				break
			}
		}
		if plain := t.Name() == "TestWriteNow/wrapped"; plain != (total == 0) {
			t.Errorf("%d bytes written", total)
		}
		if n, err := io.CopyN(io.Discard, theirs, int64(total)); err != nil {
			t.Errorf("%d of %d bytes arrived: %v", n, total, err)
		}
	})
}

func TestQuiet(t *testing.T) {
	each(t, func(t *testing.T, ours *socket.Conn, theirs net.Conn) {
		if !ours.Quiet() {
			t.Error("an open connection is not quiet")
		}
		theirs.Write([]byte("x"))
		for ours.Quiet() { // until it has arrived
		}
	})
	each(t, func(t *testing.T, ours *socket.Conn, theirs net.Conn) {
		theirs.Close()
		for ours.Quiet() {
		}
		ours.Close()
		if ours.Quiet() {
			t.Error("a closed connection is quiet")
		}
	})
}

// TestAllocations: an exchange of messages allocates nothing.
func TestAllocations(t *testing.T) {
	ours, theirs := pair(t, "tcp", "127.0.0.1:0")
	p := make([]byte, 16)
	if n := testing.AllocsPerRun(100, func() {
		theirs.Write(p)
		ours.Read(p)
		ours.WriteNow(p)
		theirs.Read(p)
		ours.Quiet()
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	ours, theirs := pair(b, "tcp", "127.0.0.1:0")
	go io.Copy(theirs, theirs)
	for name, c := range map[string]net.Conn{"socket": ours, "net": ours.Conn} {
		b.Run(name, func(b *testing.B) {
			p := make([]byte, 100)
			b.ReportAllocs()
			for b.Loop() {
				c.Write(p)
				io.ReadFull(c, p)
			}
		})
	}
}
