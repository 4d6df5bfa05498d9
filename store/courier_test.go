package store_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/store"
	"github.com/grapnel-gateway/grapnel/store/storetest"
	"github.com/grapnel-gateway/grapnel/test/program"
)

const clusterChannel = "tyk.cluster.notifications"

// notify says something as an original gateway with that node secret does
// [Z-20]; without one it does not sign.
func notify(r *storetest.Server, command, payload, secret string) {
	signature := ""
	if secret != "" {
		sum := sha256.Sum256([]byte(command + payload + secret))
		signature = hex.EncodeToString(sum[:])
	}
	text, _ := json.Marshal(map[string]any{"command": command, "payload": payload, "signature": signature, "algorithm": 5})
	r.Do("publish", clusterChannel, string(text))
}

// TestNewsFromTheOriginal: reloads and changed keys are heard when they are
// signed [Z-20, Z-21].
func TestNewsFromTheOriginal(t *testing.T) {
	r := storetest.Redis(t)
	heard := storetest.Listen(t.Context(), t, open(t, r.URL())) // its secret is "secret"
	insecure, err := store.Open(r.URL(), store.Options{AllowInsecure: true})
	if err != nil {
		t.Fatal(err)
	}
	defer insecure.Close()
	all := storetest.Listen(t.Context(), t, insecure)

	notify(r, "ApiUpdated", "", "")
	notify(r, "ApiUpdated", "", "wrong")
	for range 2 {
		if got := storetest.Hear(t, all); got.Kind != grapnel.SignalReload {
			t.Errorf("who allows it heard %+v", got)
		}
	}
	r.Do("publish", clusterChannel, "{")
	notify(r, "NoticeGatewayDRLNotification", "{}", "secret")
	notify(r, "KeySpaceUpdateNotification", "a,b:hashed", "secret")
	if got := storetest.Hear(t, heard); got.Kind != grapnel.SignalSessions || !slices.Equal(got.IDs, []string{"a", "b"}) {
		t.Errorf("heard %+v", got) // and nothing of what came before
	}
	for _, command := range []string{"ApiUpdated", "ApiRemoved", "ApiAdded", "GroupReload", "PolicyChanged"} {
		notify(r, command, "", "secret")
		if got := storetest.Hear(t, heard); got.Kind != grapnel.SignalReload {
			t.Errorf("%s: heard %+v", command, got)
		}
	}
}

// TestNewsForTheOriginal: what changes here, an original gateway hears signed,
// and other gateways of ours hear it once.
func TestNewsForTheOriginal(t *testing.T) {
	r := storetest.Redis(t)
	here, there := open(t, r.URL()), open(t, r.URL())
	heard := storetest.Listen(t.Context(), t, there)
	client := redis.NewClient(&redis.Options{Addr: r.Addr()})
	defer client.Close()
	original := client.Subscribe(t.Context(), clusterChannel)
	defer original.Close()
	if _, err := original.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		signal           grapnel.Signal
		command, payload string
	}{
		{grapnel.Signal{Kind: grapnel.SignalSessions, IDs: []string{"a", "b"}}, "KeySpaceUpdateNotification", "a,b"},
		{grapnel.Signal{Kind: grapnel.SignalReload}, "GroupReload", ""},
	} {
		begun := time.Now()
		if err := here.Publish(t.Context(), c.signal); err != nil {
			t.Fatal(err)
		}
		message, err := original.ReceiveMessage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Command, Payload, Signature string
			Algorithm                   int
		}
		if err := json.Unmarshal([]byte(message.Payload), &got); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(c.command + c.payload + "secret"))
		if got.Command != c.command || got.Payload != c.payload || got.Algorithm != 5 || got.Signature != hex.EncodeToString(sum[:]) {
			t.Errorf("the original hears %s", message.Payload)
		}
		if got := storetest.Hear(t, heard); got.Kind != c.signal.Kind || !slices.Equal(got.IDs, c.signal.IDs) {
			t.Errorf("our other gateway hears %+v", got)
		}
		if e := time.Since(begun); e > time.Second {
			t.Errorf("it took %v", e)
		}
	}
	notify(r, "PolicyChanged", "", "secret")
	if got := storetest.Hear(t, heard); got.Kind != grapnel.SignalReload || len(heard) > 0 {
		t.Errorf("something was heard twice: %+v", got)
	}
}

// TestRedisTLS: rediss:// with a certificate authority of one's own, and a
// client certificate; without them there is no connection.
func TestRedisTLS(t *testing.T) {
	cert, key := certificate(t)
	addr := program.FreeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	storetest.Redis(t, "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert, "--tls-auth-clients", "yes")
	for query, ok := range map[string]bool{
		"?ca=" + cert + "&cert=" + cert + "&key=" + key:                        true,
		"?skip_verify=true&cert=" + cert + "&key=" + key:                       true,
		"?cert=" + cert + "&key=" + key:                                        false, // an authority that nobody knows
		"?ca=" + cert:                                                          false, // no client certificate
		"?ca=" + cert + "&server_name=other.test&cert=" + cert + "&key=" + key: false,
	} {
		s := open(t, "rediss://"+addr+"/0"+query)
		if err := s.PutSession(t.Context(), "a", &grapnel.Session{}, 0); (err == nil) != ok {
			t.Errorf("%s: %v", strings.ReplaceAll(query, filepath.Dir(cert), ""), err)
		}
	}
}

// certificate is one for 127.0.0.1 that is its own authority.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &pair.PublicKey, pair)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(pair)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", signed), write("key.pem", "PRIVATE KEY", private)
}
