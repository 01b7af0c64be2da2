"""A proxy before a service whose reports come without rows: `lying_service.py TARGET`; prints its port."""
import http.client
import http.server
import json
import sys
import urllib.parse

target = urllib.parse.urlparse(sys.argv[1])


def emptied(value):
    if isinstance(value, dict):
        return {name: [] if name == "rows" else emptied(member) for name, member in value.items()}
    if isinstance(value, list):
        return [emptied(member) for member in value]
    return value


class Lying(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        upstream = http.client.HTTPConnection(target.hostname, target.port, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        upstream.request(self.command, self.path, body=body or None, headers=headers)
        answer = upstream.getresponse()
        content = answer.read()
        if self.path.split("?")[0].endswith("/data"):
            content = json.dumps(emptied(json.loads(content))).encode()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = pass_on

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Lying)
print(server.server_port, flush=True)
server.serve_forever()
