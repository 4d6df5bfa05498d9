from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Upstream(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"GET {self.path} of {self.headers['X-Tenant']}\n".encode())


ThreadingHTTPServer(("127.0.0.1", 9000), Upstream).serve_forever()
