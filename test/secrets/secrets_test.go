package secrets

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/store/storetest"
)

// TestSecrets: whatever comes of a request, no log line, in either format and at
// the chattiest level, and no error reply repeats a credential; and no store that
// is told to hash keys holds one in clear.
func TestSecrets(t *testing.T) {
	t.Run("embedded, text", func(t *testing.T) {
		dir := t.TempDir()
		s := newSite(t, filepath.Join(dir, "grapnel.db"), "text")
		keys := s.everything(t)
		s.Stop(t)
		s.searchLog(t)
		s.searchStore(t, dir, keys)
	})
	t.Run("redis, json", func(t *testing.T) {
		dir := t.TempDir() // with every command that wrote something
		redis := storetest.Redis(t, "--requirepass", storePassword, "--dir", dir, "--appendonly", "yes", "--appendfsync", "always")
		s := newSite(t, "redis://:"+storePassword+"@"+redis.Addr()+"/0?timeout=200ms", "json")
		keys := s.everything(t)
		redis.Kill()
		s.callers(t, keys) // who are now refused for another reason
		s.command(t, controlSecret, http.MethodPost, "/keys/create", session(nil))
		s.Stop(t)
		s.searchLog(t)
		s.searchStore(t, dir, keys)
	})
}

// searchLog searches what the gateway has said, to its operator and to clients.
func (s *site) searchLog(t *testing.T) {
	t.Helper()
	s.search(t, "the log", s.Log(), s.secrets...)
	s.search(t, "an error reply", s.errors.String(), s.secrets...)
	for _, line := range []string{"exchange failed", "told", "request", "control API"} { // or the search means nothing
		if !strings.Contains(s.Log(), line) {
			t.Errorf("the log has no %q", line)
		}
	}
}

// searchStore searches the files of a store. Secrets that sign requests have to be
// there as they are; keys and passwords do not.
func (s *site) searchStore(t *testing.T, dir string, k keys) {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.search(t, "the store", all.String(), k.made, k.signing, customKey, unknownKey, password, pluginToken, refusedToken, k.token)
	sum := sha256.Sum256([]byte(k.signing)) // which nobody has deleted
	if !strings.Contains(all.String(), hex.EncodeToString(sum[:])) {
		t.Error("the store does not have the hash of the signing key: the search means nothing")
	}
}

// keys are the credentials that the gateway made, and a token that it accepts.
type keys struct{ made, signing, secret, token string }

// session is the JSON of a session that may call everything.
func session(more object) string {
	right := object{}
	for _, id := range []string{"token", "basic", "hmac"} {
		right[id] = object{"api_id": id, "versions": []string{"Default"}}
		right[id+"-down"] = object{"api_id": id + "-down", "versions": []string{"Default"}}
	}
	o := object{"org_id": org, "rate": 100, "per": 60, "quota_max": 100, "quota_renewal_rate": 60, "access_rights": right}
	for name, value := range more {
		o[name] = value
	}
	b, _ := json.Marshal(o) // it is all plain
	return string(b)
}

// everything lets the operator and the callers do all that can be done, well and
// badly.
func (s *site) everything(t *testing.T) keys {
	t.Helper()
	k := s.operator(t)
	s.secrets = append(s.secrets, k.made, k.signing, k.secret, k.token, k.token[strings.LastIndex(k.token, ".")+1:])
	s.callers(t, k)
	s.tooMany(t)
	for _, key := range []string{k.made, customKey} {
		path := "/keys/" + url.PathEscape(key) + "?org_id=" + org
		for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodGet, http.MethodDelete} {
			s.command(t, controlSecret, method, path, "")
		}
	}
	return k
}

// operator makes the keys, and mistakes.
func (s *site) operator(t *testing.T) (k keys) {
	t.Helper()
	create := func(body string) string {
		t.Helper()
		status, text := s.command(t, controlSecret, http.MethodPost, "/keys/create", body)
		var created struct{ Key string }
		if err := json.Unmarshal([]byte(text), &created); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
		return created.Key
	}
	k.made, k.signing = create(session(nil)), create(session(object{"hmac_enabled": true}))
	_, text := s.command(t, controlSecret, http.MethodGet, "/keys/"+url.PathEscape(k.signing), "")
	var stored struct {
		Secret string `json:"hmac_string"`
	}
	if err := json.Unmarshal([]byte(text), &stored); err != nil || stored.Secret == "" {
		t.Fatalf("the signing key has no secret (%v): %s", err, text)
	}
	k.secret, k.token = stored.Secret, jwt(tokenSecret)
	for _, c := range []struct {
		secret, method, path, body string
		status                     int
	}{
		{controlSecret, "POST", "/keys/" + customKey, session(nil), 200},
		{controlSecret, "POST", "/keys/alice", session(object{"basic_auth_data": object{"password": password}}), 200},
		{controlSecret, "PUT", "/keys/" + customKey + "?org_id=" + org, session(nil), 200},
		{controlSecret, "PUT", "/keys/" + unknownKey, session(nil), 404},
		{controlSecret, "GET", "/keys/" + unknownKey, "", 404},
		{controlSecret, "DELETE", "/keys/" + unknownKey, "", 404},
		{controlSecret, "POST", "/keys/" + customKey, `{"hmac_string":"` + tokenSecret, 400},
		{controlSecret, "POST", "/keys/create", `"` + tokenSecret + `"`, 500},
		{controlSecret, "POST", "/keys/create", session(object{"apply_policies": []string{"missing"}}), 500},
		{controlSecret, "POST", "/keys/" + customKey, session(object{"basic_auth_data": object{"password": strings.Repeat(password, 9)}}), 400},
		{controlSecret, "PATCH", "/keys/" + customKey, "", 405},
		{controlSecret, "GET", "/keys/" + customKey + "/" + customKey, "", 404},
		{controlSecret, "POST", "/apis", `{"jwt_source":"` + tokenSecret, 400},
		{controlSecret, "GET", "/reload", "", 200},
		{wrongControl, "GET", "/keys/" + customKey, "", 403},
		{"", "GET", "/keys/" + customKey, "", 403},
	} {
		if status, text := s.command(t, c.secret, c.method, c.path, c.body); status != c.status {
			t.Errorf("%s %s: %d %s, want %d", c.method, c.path, status, text, c.status)
		}
	}
	return k
}

// callers come with good and bad credentials to every API.
func (s *site) callers(t *testing.T, k keys) {
	t.Helper()
	date := time.Now().UTC().Format(http.TimeFormat)
	good := map[string][]string{
		"token": {k.made, "Bearer " + k.made, customKey}, "basic": {basic(password)}, "jwt": {k.token},
		"hmac": {signature(k.signing, k.secret, date)}, "custom": {pluginToken}, "extracted": {pluginToken, pluginToken},
		"broken": nil, "gone": nil,
	}
	bad := []string{
		"", unknownKey, "Bearer " + unknownKey, basic(wrongPassword), "Basic " + wrongPassword, jwt(wrongPassword), k.token + "x", refusedToken,
		signature(k.signing, wrongPassword, date), `Signature keyId="` + unknownKey + ``, "Bearer " + k.made + "\t" + k.made,
	}
	for id, credentials := range good {
		for _, credential := range append(credentials, bad...) {
			for _, at := range []string{id, id + "-down"} {
				r := s.request(t, "/"+at+"/path", "Authorization", credential)
				r.Header.Set("Date", date)
				s.call(t, r)
			}
		}
	}
	for _, key := range []string{k.made, customKey, unknownKey} {
		for _, at := range []string{"token", "token-down"} {
			s.call(t, s.request(t, "/"+at+"/?key="+url.QueryEscape(key), "", ""))
			s.call(t, s.request(t, "/"+at+"/", "Cookie", "key="+url.QueryEscape(key)))
		}
		s.call(t, s.request(t, "/nowhere/?key="+url.QueryEscape(key), "Authorization", key))
	}
}

// tooMany spends the limits of a key, so that events are told of it.
func (s *site) tooMany(t *testing.T) {
	t.Helper()
	for _, limits := range []object{{"rate": 1}, {"quota_max": 1}, {"expires": 1000}, {"is_inactive": true}} {
		if status, text := s.command(t, controlSecret, http.MethodPost, "/keys/"+customKey, session(limits)); status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
		refused := false
		for range 2 {
			status, _ := s.call(t, s.request(t, "/token/", "Authorization", customKey))
			refused = refused || status >= http.StatusBadRequest
		}
		if !refused {
			t.Errorf("a key with %v was not refused", limits)
		}
	}
}

func basic(password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte("alice:"+password))
}

// jwt is a JSON Web Token that is signed with the secret.
func jwt(secret string) string {
	part := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"sub":"bob","exp":%d}`, time.Now().Add(time.Hour).Unix())
	text := part([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + part([]byte(claims))
	return text + "." + part(mac(secret, text))
}

// signature signs the date.
func signature(key, secret, date string) string {
	return fmt.Sprintf(`Signature keyId="%s",algorithm="hmac-sha256",signature="%s"`,
		key, url.QueryEscape(base64.StdEncoding.EncodeToString(mac(secret, "date: "+date))))
}

func mac(secret, text string) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(text))
	return m.Sum(nil)
}
