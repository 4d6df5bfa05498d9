package store

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/grapnel-gateway/grapnel"
)

const (
	ourChannel   = "grapnel.signals"
	theirChannel = "tyk.cluster.notifications" // [Z-20]

	// quietFor is how long the connection may be silent before it is asked
	// whether it still lives.
	quietFor = 2 * time.Second
)

// A courier carries signals between the gateways that share a Redis: ours on a
// channel of their own, and in the original's form on the original's, so that
// both kinds of gateways hear of each other's changes [Z-20, Z-21].
type courier struct {
	*hub
	client   redis.UniversalClient
	log      *slog.Logger
	secret   string
	insecure bool
	timeout  time.Duration
	answers  func() // told that Redis answers

	life    context.Context // ends when the store is closed
	end     context.CancelFunc
	once    sync.Once
	tried   chan struct{} // closed when the first subscription stands or has failed
	settled sync.Once
}

func newCourier(client redis.UniversalClient, o Options, timeout time.Duration, answers func()) *courier {
	life, end := context.WithCancel(context.Background())
	return &courier{
		hub: newHub(), client: client, log: o.Log, secret: o.NodeSecret, insecure: o.AllowInsecure, timeout: timeout, answers: answers,
		life: life, end: end, tried: make(chan struct{}),
	}
}

// A message is our form of a signal.
type message struct {
	Kind grapnel.SignalKind `json:"kind"`
	IDs  []string           `json:"ids,omitempty"`
}

// A notification is the original's form of a signal.
type notification struct {
	Command   string `json:"command"`
	Payload   string `json:"payload"`
	Signature string `json:"signature"`
	Algorithm int    `json:"algorithm"`
	// From tells our own notifications, which ourChannel carries too, from
	// the original's.
	From string `json:"from,omitempty"`
}

const (
	sessionsCommand = "KeySpaceUpdateNotification"
	reloadCommand   = "GroupReload"
	sha256Algorithm = 5
	fromUs          = "grapnel"
)

// sign is what the notification's signature must be [Z-20].
func (n notification) sign(secret string) string {
	sum := sha256.Sum256([]byte(n.Command + n.Payload + secret))
	return hex.EncodeToString(sum[:])
}

// signal translates what another kind of gateway said; ok is false when it does
// not concern us or cannot be believed.
func (c *courier) signal(n notification) (s grapnel.Signal, ok bool) {
	switch n.Command {
	case sessionsCommand:
		s.Kind = grapnel.SignalSessions
		for key := range strings.SplitSeq(n.Payload, ",") {
			id, _, _ := strings.Cut(key, ":") // KEY or KEY:hashed
			s.IDs = append(s.IDs, id)
		}
	case reloadCommand, "ApiUpdated", "ApiRemoved", "ApiAdded", "PolicyChanged": // [Z-21]
		s.Kind = grapnel.SignalReload
	default:
		return s, false
	}
	signed := n.Algorithm == sha256Algorithm && subtle.ConstantTimeCompare([]byte(n.Signature), []byte(n.sign(c.secret))) == 1
	if !signed && !c.insecure {
		c.log.Warn("a cluster notification was ignored: its signature does not fit the node secret", "command", n.Command)
		return s, false
	}
	return s, n.From != fromUs
}

func (c *courier) publish(ctx context.Context, s grapnel.Signal) error {
	ours, err := json.Marshal(message(s))
	if err != nil {
		return err
	}
	p := c.client.Pipeline()
	p.Publish(ctx, ourChannel, ours)
	n := notification{Algorithm: sha256Algorithm, From: fromUs}
	switch s.Kind {
	case grapnel.SignalSessions:
		n.Command, n.Payload = sessionsCommand, strings.Join(s.IDs, ",")
	case grapnel.SignalReload:
		n.Command = reloadCommand
	}
	if n.Command != "" {
		n.Signature = n.sign(c.secret)
		theirs, err := json.Marshal(n)
		if err != nil {
			return err
		}
		p.Publish(ctx, theirChannel, theirs)
	}
	_, err = p.Exec(ctx)
	return err
}

// Subscribe shares one connection among all who listen. It waits until the
// first subscription stands, but not for a Redis that does not answer.
func (c *courier) Subscribe(ctx context.Context, heard func(grapnel.Signal)) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	if c.life.Err() != nil {
		return unavailable(errClosed)
	}
	c.subscribe(ctx, c.life, heard)
	c.once.Do(func() { c.running.Go(c.run) })
	select {
	case <-c.tried:
		return nil
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}

// run keeps a subscription until the store is closed.
func (c *courier) run() {
	defer c.settled.Do(func() { close(c.tried) })
	for lost := false; c.life.Err() == nil; lost = true {
		heard, err := c.listen(lost)
		if c.life.Err() != nil {
			return
		}
		level := slog.LevelDebug // an outage is told once
		if heard || !lost {
			level = slog.LevelWarn
		}
		c.log.Log(c.life, level, "the connection for news from other gateways broke; it is made again", "err", err)
		c.settled.Do(func() { close(c.tried) })
		select {
		case <-time.After(restFor):
		case <-c.life.Done():
		}
	}
}

// listen hears signals on one connection until it breaks, and reports whether
// there was one.
func (c *courier) listen(lost bool) (heard bool, err error) {
	sub := c.client.Subscribe(c.life, ourChannel, theirChannel)
	defer sub.Close()
	stop := context.AfterFunc(c.life, func() { sub.Close() })
	defer stop()
	for range 2 {
		if _, err := sub.ReceiveTimeout(c.life, c.timeout); err != nil {
			return false, err
		}
	}
	c.answers() // before those who hear of it ask
	if lost {
		c.hub.publish(grapnel.Signal{Kind: grapnel.SignalLost})
	}
	c.settled.Do(func() { close(c.tried) })
	for asked := false; ; {
		got, err := sub.ReceiveTimeout(c.life, quietFor)
		var timeout net.Error
		switch {
		case err == nil:
			asked = false
		case asked || !errors.As(err, &timeout) || !timeout.Timeout():
			return true, err
		default:
			asked = true
			if err := sub.Ping(c.life); err != nil {
				return true, err
			}
		}
		if m, ok := got.(*redis.Message); ok {
			c.hear(m)
		}
	}
}

// hear passes a message on, if it is one.
func (c *courier) hear(m *redis.Message) {
	var s grapnel.Signal
	ok := false
	if m.Channel == ourChannel {
		ok = json.Unmarshal([]byte(m.Payload), (*message)(&s)) == nil
	} else {
		var n notification
		if json.Unmarshal([]byte(m.Payload), &n) == nil {
			s, ok = c.signal(n)
		}
	}
	if ok {
		c.hub.publish(s)
	}
}

func (c *courier) close() {
	c.end()
	c.running.Wait()
}
