package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// session is the stored form of a session with rights for so many APIs, of which
// the measured one is the first.
func session(rights int) string {
	var all []string
	for i := range rights {
		id := "bench"
		if i > 0 {
			id = fmt.Sprintf("api-%d", i)
		}
		all = append(all, fmt.Sprintf(`%q:{"api_id":%q,"api_name":%q,"versions":["Default"]}`, id, id, id))
	}
	return fmt.Sprintf(`{"access_rights":{%s}}`, strings.Join(all, ","))
}

// keep has the gateway store a session under tokens, by its control API. What waits
// for the disk at the same time shares a flush.
func (b *bench) keep(g *gateway, session string, tokens int, token func(n int) string) error {
	const writers = 1024
	f := fire{addr: g.control, connections: min(writers, tokens), count: tokens, request: func(room []byte, n int) []byte {
		return fmt.Appendf(room, "POST /tyk/keys/%s HTTP/1.1\r\nHost: bench\r\nX-Tyk-Authorization: %s\r\nContent-Length: %d\r\n\r\n%s", token(n), controlSecret, len(session), session)
	}}
	l, err := f.run(b.ctx)
	if err != nil || l.failed > 0 {
		return g.complain(fmt.Sprintf("did not store %d of %d sessions: %v", l.failed, tokens, err))
	}
	return nil
}

// multiply stores what a gateway's Redis has under one token under others, which
// takes it seconds for what takes the control API minutes.
func (b *bench) multiply(g *gateway, of string, tokens int, token func(n int) string) error {
	c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(g.storeURL, "redis://"), "/0"))
	if err != nil {
		return err
	}
	defer c.Close()
	in := bufio.NewReader(c)
	fmt.Fprintf(c, "GET %s\r\n", redisKey(of))
	head, err := in.ReadString('\n')
	length, bad := strconv.Atoi(strings.Trim(head, "$\r\n"))
	if err != nil || bad != nil || length < 0 {
		return fmt.Errorf("the session of %s is not in Redis, which answers %q: %v", of, head, err)
	}
	session := make([]byte, length+len("\r\n"))
	if _, err := io.ReadFull(in, session); err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		out := bufio.NewWriterSize(c, 1<<20)
		for n := range tokens {
			k := redisKey(token(n))
			fmt.Fprintf(out, "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s", len(k), k, length, session)
		}
		sent <- out.Flush()
	}()
	for range tokens {
		if answer, err := in.ReadString('\n'); err != nil || answer != "+OK\r\n" {
			return fmt.Errorf("Redis answers %q: %v", answer, err)
		}
	}
	return <-sent
}

// redisKey is where the session of a token is: under the hash of what the token
// stands for.
func redisKey(token string) string {
	key := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"org":"","id":%q,"h":"sha256"}`, token))
	return fmt.Sprintf("apikey-%x", sha256.Sum256([]byte(key)))
}

// The series of stored keys has requests that use a fixed number of them, and
// requests that use all. Before the latter are measured, so many are used once as
// the gateway may have in its caches.
const (
	usedKeys  = 1000
	warmedFor = 200_000
)

func byKeys(b *bench, s *series) error {
	stores := []target{{name: "in memory"}, {name: "embedded", store: "file"}}
	if installed(redis) {
		stores = append(stores, target{name: "Redis", store: "redis"})
	}
	s.points = []point{{x: 10}, {x: 1000}, {x: 10_000}, {x: 100_000}, {x: 1_000_000}}
	for _, t := range stores {
		s.lines = append(s.lines, t.name, t.name+", all used")
		t.program, t.api, t.token, t.session = "grapnel", storedToken, true, session(1)
		g, err := b.open(t)
		if err != nil {
			return err
		}
		stored := 0
		for i := range s.points {
			p := &s.points[i]
			if err := b.fill(g, stored, int(p.x)); err != nil {
				return err
			}
			stored = int(p.x)
			for _, used := range []int{min(stored, usedKeys), stored} {
				f := fire{addr: g.addr(), connections: b.connections, count: min(used, warmedFor), request: spread("/bench", used)}
				if _, err := f.run(b.ctx); err != nil {
					return fmt.Errorf("%w; %w", err, g.complain("was asked"))
				}
				f.count = 0
				y, err := b.cost(g, f)
				if err != nil {
					return err
				}
				p.y = append(p.y, y)
			}
		}
		g.stop()
	}
	return nil
}

// fill stores callers' sessions until there are so many.
func (b *bench) fill(g *gateway, from, to int) error {
	token := func(n int) string { return caller(from + n) }
	if g.target.store == "redis" {
		return b.multiply(g, benchToken, to-from, token)
	}
	return b.keep(g, g.session, to-from, token)
}

func byRights(b *bench, s *series) error {
	const hook = storedToken + "\n    hooks: { post_key_auth: [{ plugin: bench, hook: Mark%s }] }"
	sizes := []int{1, 10, 100, 1000}
	s.points = make([]point, len(sizes))
	for _, api := range []string{storedToken, fmt.Sprintf(hook, ", send: { session: none }"), fmt.Sprintf(hook, ", send: { session: metadata }"), fmt.Sprintf(hook, "")} {
		t := target{program: "grapnel", api: api, token: true, session: session(1)}
		if api != storedToken {
			t.proof = "X-Seen"
		}
		g, err := b.open(t)
		if err != nil {
			return err
		}
		for i, n := range sizes {
			token := fmt.Sprintf("rights-%d", n)
			if err := b.keep(g, session(n), 1, func(int) string { return token }); err != nil {
				return err
			}
			y, err := b.cost(g, fire{request: always("GET /bench HTTP/1.1\r\nHost: bench\r\nAuthorization: " + token + "\r\n\r\n")})
			if err != nil {
				return err
			}
			s.points[i].x, s.points[i].y = float64(n), append(s.points[i].y, y)
		}
		g.stop()
	}
	return nil
}
