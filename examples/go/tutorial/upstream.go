//go:build ignore

// An upstream that says what it was asked.
package main

import (
	"fmt"
	"log"
	"net/http"
)

func main() {
	log.Fatal(http.ListenAndServe("127.0.0.1:9000", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s of %s\n", r.Method, r.URL.Path, r.Header.Get("X-Tenant"))
	})))
}
