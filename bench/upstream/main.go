// Command upstream is what the gateways of the benchmarks lead to, where there
// is no nginx to play that part for less CPU time, or where requests have bodies,
// which it reads before it answers. Like nginx there, it tells in X-Seen what
// X-Plugin was.
package main

import (
	"flag"
	"io"
	"log"
	"net/http"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "the `address` to listen on")
	flag.Parse()
	reply := []byte(`{"hello":"world","from":"upstream"}` + "\n")
	log.Fatal(http.ListenAndServe(*listen, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return // the client is gone
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		if seen := r.Header.Get("X-Plugin"); seen != "" {
			h.Set("X-Seen", seen)
		}
		w.Write(reply)
	})))
}
