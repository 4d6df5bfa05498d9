package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// certificates serves certificates from files and reads the files again when
// they change, so that a renewed certificate needs no reload. Files that are
// broken when they change leave the old certificate in place.
type certificates struct {
	log *slog.Logger

	mu      sync.Mutex
	pairs   []*pair
	checked time.Time
}

type pair struct {
	files  grapnel.Certificate
	stamp  stamp
	loaded *tls.Certificate
}

// A stamp changes when the files do.
type stamp struct {
	certTime, keyTime time.Time
	certSize, keySize int64
}

// recheck is how often the files are looked at, at most.
const recheck = time.Second

func newCertificates(files []grapnel.Certificate, log *slog.Logger) (*certificates, error) {
	c := &certificates{log: log, checked: time.Now()}
	for _, f := range files {
		p := &pair{files: f}
		if err := p.load(); err != nil {
			return nil, err
		}
		c.pairs = append(c.pairs, p)
	}
	if len(c.pairs) == 0 {
		return nil, errors.New("tls: no certificate")
	}
	return c, nil
}

// get chooses the certificate for a client: the first that fits the server name
// it asks for and what it supports, or the first of all.
func (c *certificates) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= recheck {
		c.checked = now
		c.refresh()
	}
	for _, p := range c.pairs {
		if hello.SupportsCertificate(p.loaded) == nil {
			return p.loaded, nil
		}
	}
	return c.pairs[0].loaded, nil
}

func (c *certificates) refresh() {
	for _, p := range c.pairs {
		if now, err := p.look(); err == nil && now == p.stamp {
			continue
		}
		if err := p.load(); err != nil {
			c.log.Error("certificate not renewed, the old one goes on serving", "error", err)
			continue
		}
		c.log.Info("certificate renewed", "file", p.files.Cert, "expires", p.loaded.Leaf.NotAfter)
	}
}

func (p *pair) load() error {
	now, err := p.look()
	if err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	loaded, err := tls.LoadX509KeyPair(p.files.Cert, p.files.Key)
	if err != nil {
		return fmt.Errorf("tls: %s: %w", p.files.Cert, err)
	}
	if loaded.Leaf == nil {
		if loaded.Leaf, err = x509.ParseCertificate(loaded.Certificate[0]); err != nil {
			return fmt.Errorf("tls: %s: %w", p.files.Cert, err)
		}
	}
	p.loaded, p.stamp = &loaded, now
	return nil
}

func (p *pair) look() (stamp, error) {
	cert, err := os.Stat(p.files.Cert)
	if err != nil {
		return stamp{}, err
	}
	key, err := os.Stat(p.files.Key)
	if err != nil {
		return stamp{}, err
	}
	return stamp{cert.ModTime(), key.ModTime(), cert.Size(), key.Size()}, nil
}
