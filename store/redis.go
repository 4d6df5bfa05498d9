package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/grapnel-gateway/grapnel"
)

// The names of keys. All but the last three are the original's [Z-1, Z-4, Z-5].
const (
	sessionKey  = "apikey-"
	quotaKey    = "quota-"
	rateKey     = "rate-limit-"
	windowEnd   = ".window" // behind a rateKey: our windows are of another type than the original's
	documentKey = "grapnel:"
	recordKey   = "grapnel:record:"

	scanPage = 1000
)

// shared is the store in Redis, for many gateways.
type shared struct {
	*breaker
	*courier
	client                  redis.UniversalClient
	take, spend, swap, edit *redis.Script
}

// OpenRedis opens the store in a Redis. It need not answer yet.
func OpenRedis(r RedisOptions, o Options) (grapnel.Store, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if r.Timeout <= 0 {
		r.Timeout = time.Second
	}
	tls, err := r.TLS.config()
	if err != nil {
		return nil, fmt.Errorf("store: TLS to Redis: %w", err)
	}
	redis.SetLogger(driverLog{o.Log}) // there is one for the whole process
	client := redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: r.Addrs, MasterName: r.Master, IsClusterMode: r.Cluster, DB: r.DB,
		Username: r.Username, Password: r.Password, SentinelPassword: r.SentinelPassword, TLSConfig: tls,
		PoolSize: r.PoolSize, PoolTimeout: r.Timeout,
		DialTimeout: r.Timeout, DialerRetries: 1, ReadTimeout: r.Timeout, WriteTimeout: r.Timeout, ContextTimeoutEnabled: true,
		// Retries are for connections that broke while they were idle.
		MaxRetries: 2, MinRetryBackoff: 4 * time.Millisecond, MaxRetryBackoff: 32 * time.Millisecond,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	b := &breaker{timeout: r.Timeout, log: o.Log, start: time.Now()}
	return &shared{
		breaker: b,
		courier: newCourier(client, o, r.Timeout, b.heal),
		client:  client, take: redis.NewScript(takeScript), spend: redis.NewScript(spendScript),
		swap: redis.NewScript(swapScript), edit: redis.NewScript(editScript),
	}, nil
}

// driverLog takes what the driver would print.
type driverLog struct{ *slog.Logger }

func (l driverLog) Printf(ctx context.Context, format string, v ...any) {
	l.DebugContext(ctx, "redis", "driver", fmt.Sprintf(format, v...))
}

func (r *shared) Session(ctx context.Context, id string) (s *grapnel.Session, err error) {
	var stored []byte
	err = r.do(ctx, func(ctx context.Context) (err error) {
		stored, err = r.client.Get(ctx, sessionKey+id).Bytes()
		return err
	})
	if err != nil {
		return nil, err
	}
	return decode(id, stored)
}

func (r *shared) PutSession(ctx context.Context, id string, s *grapnel.Session, ttl time.Duration) error {
	stored, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	return r.do(ctx, func(ctx context.Context) error {
		return r.client.Set(ctx, sessionKey+id, stored, max(0, ttl)).Err()
	})
}

func (r *shared) DeleteSession(ctx context.Context, id string) error {
	return r.gone(ctx, func(ctx context.Context) *redis.IntCmd { return r.client.Del(ctx, sessionKey+id) })
}

// gone runs a deletion, and returns ErrNotFound when there was nothing.
func (r *shared) gone(ctx context.Context, remove func(context.Context) *redis.IntCmd) error {
	return r.do(ctx, func(ctx context.Context) error {
		n, err := remove(ctx).Result()
		if err == nil && n == 0 {
			return redis.Nil
		}
		return err
	})
}

func (r *shared) SessionIDs(ctx context.Context, prefix string) ([]string, error) {
	return r.scan(ctx, sessionKey, prefix)
}

// scan lists what follows kind in the keys that begin with kind and prefix,
// sorted.
func (r *shared) scan(ctx context.Context, kind, prefix string) ([]string, error) {
	nodes, err := r.nodes(ctx)
	if err != nil {
		return nil, err
	}
	ids, pattern := []string{}, kind+strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(prefix)+"*"
	for _, node := range nodes {
		for cursor, more := uint64(0), true; more; more = cursor != 0 {
			err := r.do(ctx, func(ctx context.Context) (err error) {
				var page []string
				page, cursor, err = node.Scan(ctx, cursor, pattern, scanPage).Result()
				for _, key := range page {
					ids = append(ids, strings.TrimPrefix(key, kind))
				}
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil // a scan may name a key twice
}

// nodes are those that have to be asked for a list of keys.
func (r *shared) nodes(ctx context.Context) (nodes []redis.Cmdable, err error) {
	cluster, ok := r.client.(*redis.ClusterClient)
	if !ok {
		return []redis.Cmdable{r.client}, nil
	}
	var mu sync.Mutex
	err = r.do(ctx, func(ctx context.Context) error {
		return cluster.ForEachMaster(ctx, func(_ context.Context, node *redis.Client) error {
			mu.Lock()
			defer mu.Unlock()
			nodes = append(nodes, node)
			return nil
		})
	})
	return nodes, err
}

func (r *shared) Take(ctx context.Context, key string, limit int, per time.Duration) (wait time.Duration, err error) {
	span := per.Microseconds()
	if span <= 0 {
		return 0, nil
	}
	err = r.do(ctx, func(ctx context.Context) error {
		us, err := r.take.Run(ctx, r.client, []string{rateKey + key + windowEnd}, limit, span, span/grains).Int64()
		wait = time.Duration(us) * time.Microsecond
		return err
	})
	return wait, err
}

func (r *shared) Spend(ctx context.Context, key string, maximum int64, period time.Duration) (u grapnel.Usage, err error) {
	err = r.do(ctx, func(ctx context.Context) error {
		ms := int64(math.Ceil(float64(period) / float64(time.Millisecond)))
		got, err := r.spend.Run(ctx, r.client, []string{quotaKey + key}, maximum, ms).Int64Slice()
		if err == nil && len(got) != 2 {
			err = errors.New("the script gave no usage")
		}
		if err == nil {
			u = usage(got[0], time.Duration(got[1])*time.Millisecond)
		}
		return err
	})
	return u, err
}

func (r *shared) Usage(ctx context.Context, key string) (u grapnel.Usage, err error) {
	err = r.do(ctx, func(ctx context.Context) error {
		p := r.client.Pipeline()
		used, ttl := p.Get(ctx, quotaKey+key), p.PTTL(ctx, quotaKey+key)
		if _, err := p.Exec(ctx); err != nil {
			return err
		}
		n, err := used.Int64()
		u = usage(n, ttl.Val())
		return err
	})
	if errors.Is(err, grapnel.ErrNotFound) {
		return grapnel.Usage{}, nil
	}
	return u, err
}

// usage is how a quota stands whose counter lives for ttl; one that is not
// positive is for ever.
func usage(used int64, ttl time.Duration) grapnel.Usage {
	u := grapnel.Usage{Used: used}
	if ttl > 0 {
		u.Renews = time.Now().Add(ttl)
	}
	return u
}

func (r *shared) Forget(ctx context.Context, key string) error {
	return r.do(ctx, func(ctx context.Context) error {
		p := r.client.Pipeline() // one command for each key: they may be on several nodes
		for _, name := range []string{quotaKey + key, rateKey + key, rateKey + key + windowEnd} {
			p.Del(ctx, name)
		}
		_, err := p.Exec(ctx)
		return err
	})
}

func (r *shared) Documents(ctx context.Context, kind string) (map[string][]byte, error) {
	out := map[string][]byte{}
	err := r.do(ctx, func(ctx context.Context) error {
		all, err := r.client.HGetAll(ctx, documentKey+kind).Result()
		for id, document := range all {
			out[id] = []byte(document)
		}
		return err
	})
	return out, err
}

func (r *shared) PutDocument(ctx context.Context, kind, id string, document []byte) error {
	return r.do(ctx, func(ctx context.Context) error { return r.client.HSet(ctx, documentKey+kind, id, document).Err() })
}

func (r *shared) DeleteDocument(ctx context.Context, kind, id string) error {
	return r.gone(ctx, func(ctx context.Context) *redis.IntCmd { return r.client.HDel(ctx, documentKey+kind, id) })
}

func (r *shared) Publish(ctx context.Context, s grapnel.Signal) error {
	return r.do(ctx, func(ctx context.Context) error { return r.publish(ctx, s) })
}

func (r *shared) Ping(ctx context.Context) error {
	return r.do(ctx, func(ctx context.Context) error { return r.client.Ping(ctx).Err() })
}

func (r *shared) Close() error {
	r.courier.close()
	if err := r.client.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
		return err
	}
	return nil
}
