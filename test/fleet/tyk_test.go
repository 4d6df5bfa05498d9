package fleet

import (
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/grapnel-gateway/grapnel/store/storetest"
	"github.com/grapnel-gateway/grapnel/test/program"
)

// A tykSite is a Tyk set-up: tyk.conf and a folder of definitions.
type tykSite struct {
	*site
	conf object
	apps string
}

// newTykSite makes a set-up with the definitions. More keys of tyk.conf replace
// those that it has.
func newTykSite(t *testing.T, redis *storetest.Server, conf object, definitions ...object) *tykSite {
	t.Helper()
	s := &tykSite{site: newSite(t, redis.URL())}
	s.apps = filepath.Join(s.dir, "apps")
	if len(definitions) == 0 {
		definitions = append(definitions, definition("open", object{"use_keyless": true}))
	}
	for _, d := range definitions {
		d["proxy"].(object)["target_url"] = s.upstream.URL
		write(t, filepath.Join(s.apps, fmt.Sprint(d["api_id"], ".json")), d)
	}
	host, port, err := net.SplitHostPort(redis.Addr())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	s.conf = object{
		"secret": secret, "app_path": s.apps, "use_db_app_configs": false, "hash_keys": false,
		"storage":           object{"type": "redis", "host": host, "port": number},
		"policies":          object{"policy_source": "file"},
		"coprocess_options": object{"enable_coprocess": true, "coprocess_grpc_server": "tcp://" + s.plugin.target},
	}
	maps.Copy(s.conf, conf)
	return s
}

// definition is a Classic definition of an API that is found under its id.
func definition(id string, rest object) object {
	d := object{
		"api_id": id, "name": id, "org_id": org, "active": true,
		"auth":         object{"auth_header_name": "Authorization"},
		"proxy":        object{"listen_path": "/" + id + "/", "strip_listen_path": true},
		"version_data": object{"not_versioned": true, "versions": object{"Default": object{"name": "Default"}}},
	}
	maps.Copy(d, rest)
	return d
}

// start starts a gateway of the set-up.
func (s *tykSite) start(t *testing.T) *gateway {
	t.Helper()
	addr := program.FreeAddr(t)
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	conf := maps.Clone(s.conf)
	conf["listen_address"] = host
	if conf["listen_port"], err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	g := &gateway{control: "http://" + addr + "/tyk", client: s.client}
	g.file = filepath.Join(t.TempDir(), "tyk.conf")
	write(t, g.file, conf)
	g.Gateway = program.Start(t, addr, "run", "--tyk-conf", g.file)
	return g
}
